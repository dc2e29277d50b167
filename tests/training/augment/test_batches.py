import math

import numpy as np
import pytest
import torch
from brainscore_granularity.training.augment import batches as augment
from brainscore_granularity.training.augment import randaugment
from brainscore_granularity.training.augment.batches import Augmentation
from brainscore_granularity.training.augment.warp import warp
from torchvision.transforms import InterpolationMode, autoaugment
from torchvision.transforms import functional as tv

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
BILINEAR = InterpolationMode.BILINEAR


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(n=12, height=24, width=24):
    return torch.randint(0, 256, (n, height, width, 3), dtype=torch.uint8, generator=generator(7))


def normalised(image):
    """One (3, h, w) image, uint8 or 0..1, as torchvision normalises it."""
    image = tv.convert_image_dtype(image, torch.float32) if image.dtype == torch.uint8 else image
    return tv.normalize(image, MEAN, STD)


def planes(pixels):
    return pixels.permute(0, 3, 1, 2)


def plain(**settings):
    return Augmentation(**({"flip": False} | settings))


# -------------------------------------------------------------------------------------- shape and evaluation


@pytest.mark.parametrize(
    "augmentation",
    [
        plain(),
        Augmentation(crop_padding=4),
        Augmentation(rotation=10),
        Augmentation(random_resized_crop=(0.08, 1), colour=0.4, randaugment=2),
    ],
)
@pytest.mark.parametrize("shape", [(24, 24), (20, 33)])
def test_what_comes_out(augmentation, shape):
    pixels = noise(5, *shape)
    before = pixels.clone()
    out = augmentation(pixels, generator())
    assert out.shape == (5, 3, *shape) and out.dtype == torch.float32
    assert out.is_contiguous(memory_format=torch.channels_last) and out.isfinite().all()
    assert torch.equal(pixels, before)  # the stored images are not touched
    lowest, highest = normalised(torch.zeros(3, 1, 1)), normalised(torch.ones(3, 1, 1))
    assert (out >= lowest - 1e-5).all() and (out <= highest + 1e-5).all()


def test_evaluation_only_normalises():
    pixels = noise()
    expected = torch.stack([normalised(image) for image in planes(pixels)])
    assert torch.equal(Augmentation.none(pixels), expected)
    assert torch.equal(Augmentation(rotation=10).none(pixels), expected)
    assert torch.equal(plain()(pixels, generator()), expected)
    assert Augmentation.none(pixels).is_contiguous(memory_format=torch.channels_last)


# ------------------------------------------------------------------- the same as torchvision, image by image


def test_crop_and_flip_are_torchvisions_to_the_bit():
    pixels, augmentation = noise(40, 24, 20), Augmentation(crop_padding=5)
    draws = augmentation.draw(40, 24, 20, generator())
    out = augmentation.apply(pixels, draws)
    for i, image in enumerate(planes(pixels)):
        top, left, height, width = (int(v) for v in draws["box"][i])
        image = tv.crop(tv.pad(image, 5, padding_mode="symmetric"), top + 5, left + 5, height, width)
        assert torch.equal(out[i], normalised(tv.hflip(image) if draws["flip"][i] else image))


def test_rotation_is_torchvisions_with_mirrored_surroundings():
    """torchvision rotates a picture that was padded with its mirror image; its middle is ours, corners included."""
    pixels, augmentation, margin = noise(20, 24, 30), Augmentation(rotation=40), 20
    draws = augmentation.draw(20, 24, 30, generator())
    out = augmentation.apply(pixels, draws)
    for i, image in enumerate(planes(pixels) / 255):
        image = tv.hflip(image) if draws["flip"][i] else image
        image = tv.rotate(tv.pad(image, margin, padding_mode="symmetric"), float(draws["angle"][i]), BILINEAR)
        assert torch.allclose(out[i], normalised(tv.center_crop(image, [24, 30])), atol=2e-4)


def test_random_resized_crop_is_torchvisions_inside_the_box():
    """At the rim of a box torchvision repeats its last pixel where we have the true neighbours."""
    pixels, augmentation = noise(40, 24, 24), Augmentation(random_resized_crop=(0.2, 1))
    draws = augmentation.draw(40, 24, 24, generator())
    out = augmentation.apply(pixels, draws)
    for i, image in enumerate(planes(pixels) / 255):
        top, left, height, width = (int(v) for v in draws["box"][i])
        image = tv.resized_crop(image, top, left, height, width, [24, 24], BILINEAR, antialias=True)
        image = normalised(tv.hflip(image) if draws["flip"][i] else image)
        y, x = math.ceil(12 / height), math.ceil(12 / width)  # half a source pixel
        inner = (..., slice(y, 24 - y), slice(x, 24 - x))
        assert torch.allclose(out[i][inner], image[inner], atol=2e-4)


def test_colour_is_torchvisions():
    pixels, augmentation = noise(), plain(colour=0.6)
    draws = augmentation.draw(12, 24, 24, generator())
    out = augmentation.apply(pixels, draws)
    for i, image in enumerate(planes(pixels) / 255):
        image = tv.adjust_brightness(image, float(draws["brightness"][i]))
        image = tv.adjust_contrast(image, float(draws["contrast"][i]))
        image = tv.adjust_saturation(image, float(draws["saturation"][i]))
        assert torch.allclose(out[i], normalised(image), atol=1e-5)


@pytest.mark.parametrize("name", randaugment.OPERATIONS)
@pytest.mark.parametrize("sign", [-1, 1])
def test_randaugment_operations_are_torchvisions(name, sign):
    pixels = planes(noise(4, 32, 40))
    magnitudes, signed = autoaugment.RandAugment()._augmentation_space(31, (32, 40))[name]
    assert signed == (name in randaugment.SIGNED)
    magnitude = float(magnitudes[9]) if magnitudes.ndim else 0.0
    out = randaugment.operate(pixels, name, sign if signed else 1)
    for image, ours in zip(pixels, out, strict=True):
        value = magnitude * (sign if signed else 1)
        if name not in randaugment.GEOMETRY:
            expected = autoaugment._apply_op(image, name, value, BILINEAR, None)
            # The two generations of torchvision's transforms round greys and blurs differently.
            assert (ours.int() - expected.int()).abs().max() <= (name in ("Color", "Sharpness"))
            continue
        # Black surroundings in torchvision: compare where none of them is mixed in.
        expected = autoaugment._apply_op(image.float(), name, value, BILINEAR, [0.0] * 3)
        inside = autoaugment._apply_op(torch.ones(1, 32, 40), name, value, BILINEAR, [0.0])[0] > 0.9999
        assert inside.float().mean() > 0.7 and (ours.float() - expected).abs()[:, inside].max() <= 0.51


def test_randaugment_draws_every_operation_equally_often():
    assert set(randaugment.OPERATIONS) == set(autoaugment.RandAugment()._augmentation_space(31, (8, 8)))
    choice = torch.rand(14_000, 2, generator=generator())
    counts = np.bincount((choice[:, 0] * 14).int().numpy(), minlength=14)
    assert ((counts - 1000) ** 2 / 1000).sum() < 34.5  # chi-square, 13 degrees of freedom: p = 0.001
    pixels = planes(noise(64))
    out = randaugment.randaugment(pixels, choice[:64])
    for i, (operation, sign) in enumerate(choice[:64].tolist()):
        name = randaugment.OPERATIONS[int(operation * 14)]
        alone = randaugment.operate(pixels[i : i + 1], name, -1 if sign < 0.5 and name in randaugment.SIGNED else 1)
        assert torch.equal(out[i], alone[0])


# --------------------------------------------------------------------------------------------------- borders


@pytest.mark.parametrize(
    "augmentation",
    [
        Augmentation(crop_padding=8),
        Augmentation(rotation=45),
        Augmentation(rotation=30, crop_padding=8),
        Augmentation(rotation=30, random_resized_crop=(0.3, 1)),
    ],
)
def test_a_uniform_image_stays_uniform(augmentation):
    """No wedge, seam or dark rim, anywhere."""
    pixels = torch.tensor([200, 100, 50], dtype=torch.uint8).expand(64, 24, 24, 3)
    assert torch.allclose(augmentation(pixels, generator()), Augmentation.none(pixels), atol=1e-4)


def test_rotated_corners_are_textured_not_smeared():
    """With edge pixels repeated the corners of rotated noise would be stripes; mirrored, they vary like the middle."""
    pixels = noise(200, 32, 32)
    out = plain(rotation=45)(pixels, generator()).contiguous()
    corner, middle = out[:, :, :5, :5], out[:, :, 13:18, 13:18]

    def variation(patch):
        return patch.std(dim=(2, 3)).mean()

    assert variation(corner) == pytest.approx(float(variation(middle)), rel=0.1)


def test_a_rotated_crop_shows_what_is_really_around_it():
    """Inside the stored image nothing is mirrored: a box in the middle equals the same cut of the rotated whole."""
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    pixels = torch.stack([2 * x + y, 3 * y, 4 * x], -1).clamp(0, 255).to(torch.uint8)[None]
    augmentation = plain(rotation=20, random_resized_crop=(0.25, 0.25))
    draws = augmentation.draw(1, 64, 64, generator())
    draws["box"], draws["angle"] = torch.tensor([[16.0, 16.0, 32.0, 32.0]]), torch.tensor([15.0])
    out = augmentation.apply(pixels, draws)
    rotated = tv.rotate(planes(pixels)[0] / 255, 15.0, BILINEAR)
    expected = normalised(tv.resize(tv.center_crop(rotated, [32, 32]), [64, 64], BILINEAR, antialias=True))
    inner = (..., slice(2, 62), slice(2, 62))
    assert (out[0][inner] - expected[inner]).abs().max() < 0.05  # they interpolate twice


@pytest.mark.parametrize("shift", [-30, -5, 0, 3, 24, 50])
def test_whole_pixel_warps_are_exact_and_symmetric(shift):
    images = planes(noise(2)).contiguous().float()
    matrix = torch.tensor([[1.0, 0, shift], [0, 1, -shift]]).expand(2, 2, 3)
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (60, 60), (60, 60)), mode="symmetric")
    expected = padded[:, :, 60 - shift : 84 - shift, 60 + shift : 84 + shift]
    assert np.allclose(warp(images, matrix).numpy(), expected, atol=0.02)
    index = torch.arange(-60, 84)
    assert np.array_equal(augment._mirrored(index, 24).numpy(), np.pad(np.arange(24), 60, mode="symmetric"))


# ------------------------------------------------------------------------------------------------ randomness


def test_everything_comes_from_the_generator():
    augmentation = Augmentation(random_resized_crop=(0.2, 1), rotation=10, colour=0.3, randaugment=2)
    pixels = noise(64)
    torch.manual_seed(1)
    first = augmentation(pixels, generator(5))
    state = torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(first, augmentation(pixels, generator(5)))
    assert not torch.equal(first, augmentation(pixels, generator(6)))
    torch.manual_seed(1)
    assert torch.equal(state, torch.get_rng_state())  # the global generator is not used


def test_a_batch_is_its_halves_one_after_the_other():
    augmentation = Augmentation(crop_padding=3, rotation=10, colour=0.3, randaugment=1)
    pixels, one, two = noise(64), generator(3), generator(3)
    halves = torch.cat([augmentation(pixels[:32], two), augmentation(pixels[32:], two)])
    assert torch.allclose(augmentation(pixels, one), halves, atol=1e-5)
    assert torch.equal(one.get_state(), two.get_state())


def test_one_setting_leaves_the_draws_of_the_others_alone():
    base = Augmentation(crop_padding=2).draw(100, 24, 24, generator())
    more = Augmentation(crop_padding=2, rotation=10, colour=0.5).draw(100, 24, 24, generator())
    assert torch.equal(base["flip"], more["flip"]) and torch.equal(base["box"], more["box"])
    assert (base["angle"] == 0).all() and (base["brightness"] == 1).all()


def test_half_of_the_images_flip_and_draws_fill_their_ranges():
    n = 100_000
    draws = Augmentation(crop_padding=4, rotation=10, colour=0.4).draw(n, 64, 64, generator())
    assert abs(draws["flip"].float().mean() - 0.5) < 4 * 0.5 / n**0.5
    shifts, counts = draws["box"][:, :2].int().flatten().unique(return_counts=True)
    assert shifts.tolist() == list(range(-4, 5))
    assert ((counts - 2 * n / 9) ** 2 / (2 * n / 9)).sum() < 26.1  # chi-square, 8 degrees of freedom: p = 0.001
    for values, low, high in ((draws["angle"], -10, 10), (draws["contrast"], 0.6, 1.4)):
        assert low <= values.min() < low + 0.01 * (high - low) and high - 0.01 * (high - low) < values.max() <= high
        assert abs(values.mean() - (low + high) / 2) < 0.01 * (high - low)
    assert not Augmentation(flip=False).draw(1000, 8, 8, generator())["flip"].any()


def test_boxes_lie_inside_and_have_the_areas_asked_for():
    draws = Augmentation(random_resized_crop=(0.1, 0.6)).draw(20_000, 64, 64, generator())
    top, left, height, width = draws["box"].unbind(1)
    assert (top >= 0).all() and (left >= 0).all() and (top + height <= 64).all() and (left + width <= 64).all()
    area, aspect = height * width / 64**2, width / height
    assert 0.09 < area.min() < 0.11 and 0.58 < area.max() < 0.62 and area.mean() == pytest.approx(0.35, abs=0.01)
    assert 0.7 < aspect.min() < 0.78 and 1.28 < aspect.max() < 1.42
    # Areas and aspects are spread as torchvision's: same deciles, up to rounding.
    torch.manual_seed(0)
    theirs = np.array([box(64, (0.1, 0.6)) for _ in range(4000)])
    ours = draws["box"][:, 2:].numpy()
    assert (
        np.abs(np.quantile(ours, np.linspace(0.1, 0.9, 9), 0) - np.quantile(theirs, np.linspace(0.1, 0.9, 9), 0)).max()
        <= 1.5
    )


def box(side, scale):
    from torchvision.transforms import RandomResizedCrop

    return RandomResizedCrop.get_params(torch.empty(3, side, side), list(scale), [3 / 4, 4 / 3])[2:]


# ------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop_padding": -1}, "must not be negative"),
        ({"colour": 1.5}, "colour in 0..1"),
        ({"flip": 0.5}, "flip must be True .* or False, got 0.5"),
        ({"random_resized_crop": (0.5, 0.1)}, "0 < low <= high <= 1"),
        ({"random_resized_crop": (0.5, 1), "crop_padding": 4}, "not both"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**settings)


@pytest.mark.parametrize("pixels", [torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.zeros(2, 8, 8, 3)])
def test_bad_pixels(pixels):
    with pytest.raises(ValueError, match=r"expected uint8 pixels \(b, h, w, 3\), got"):
        Augmentation()(pixels, generator())
