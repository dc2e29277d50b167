"""Hue, greyscale and blur against torchvision's, and how they are drawn."""

import pytest
import torch
from brainscore_granularity.training.augment import colour
from brainscore_granularity.training.augment.batches import Augmentation
from torchvision.transforms import functional as tv

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
SIMCLR = {"colour": 0.8, "hue": 0.2, "colour_share": 0.8, "grey": 0.2, "blur": 0.5}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(n=12, side=40):
    pixels = torch.randint(0, 256, (n, side, side, 3), dtype=torch.uint8, generator=generator(7))
    pixels[0], pixels[1, :8] = 255, 0  # white, black and grey have no hue
    pixels[2] = pixels[2, :, :, :1]
    return pixels


def unit(pixels):
    return pixels.permute(0, 3, 1, 2).float() / 255


def test_hue_is_torchvisions():
    images = unit(noise())
    shifts = torch.linspace(-0.5, 0.5, len(images))
    for image, ours, shift in zip(images, colour.shift_hue(images, shifts), shifts, strict=True):
        assert torch.allclose(ours, tv.adjust_hue(image, float(shift)), atol=1e-5)
    assert torch.allclose(colour.shift_hue(images, torch.zeros(12)), images, atol=1e-6)


def test_grey_is_torchvisions():
    images = unit(noise())
    assert torch.allclose(colour.grey(images).expand(-1, 3, -1, -1), tv.rgb_to_grayscale(images, 3), atol=1e-6)


@pytest.mark.parametrize(("side", "kernel"), [(24, 3), (40, 5), (64, 7)])
def test_blur_is_torchvisions(side, kernel):
    images = unit(noise(side=side))
    sigmas = torch.linspace(0.1, 2.0, len(images))
    assert colour.kernel_size(side) == kernel and colour.kernel_size(224) == 23
    for image, ours, sigma in zip(images, colour.blur(images, sigmas), sigmas, strict=True):
        assert torch.allclose(ours, tv.gaussian_blur(image, [kernel, kernel], float(sigma)), atol=1e-5)


def test_all_of_them_in_their_order():
    pixels, augmentation = noise(), Augmentation(flip=False, **SIMCLR)
    draws = augmentation.draw(12, 40, 40, generator(1))
    out = augmentation.apply(pixels, draws)
    for i, image in enumerate(unit(pixels)):
        for name in ("brightness", "contrast", "saturation", "hue"):
            image = getattr(tv, f"adjust_{name}")(image, float(draws[name][i]))
        image = tv.rgb_to_grayscale(image, 3) if draws["grey"][i] else image
        if i in draws["blurred"]:
            image = tv.gaussian_blur(image, [5, 5], float(draws["sigma"][i]))
        assert torch.allclose(out[i], tv.normalize(image, MEAN, STD), atol=1e-4), i


def test_shares_and_ranges():
    n = 40_000
    draws = Augmentation(**SIMCLR).draw(n, 40, 40, generator())
    sure = 4 * 0.5 / n**0.5
    unchanged = draws["hue"] == 0
    assert abs(unchanged.float().mean() - 0.2) < sure
    assert all((draws[name][unchanged] == 1).all() for name in ("brightness", "contrast", "saturation"))
    assert -0.2 <= draws["hue"].min() < -0.199 and 0.199 < draws["hue"].max() <= 0.2
    assert abs(draws["grey"].float().mean() - 0.2) < sure and abs(len(draws["blurred"]) / n - 0.5) < sure
    assert 0.1 <= draws["sigma"].min() < 0.11 and 1.99 < draws["sigma"].max() <= 2.0


def test_the_draws_of_older_settings_stay():
    """Networks trained before these settings existed can be trained again."""
    old = Augmentation(rotation=10, colour=0.4, randaugment=1).draw(50, 24, 24, generator())
    new = Augmentation(rotation=10, colour=0.4, randaugment=1, hue=0.1, blur=0.5).draw(50, 24, 24, generator())
    for name in ("flip", "angle", "box", "brightness", "contrast", "saturation", "operations"):
        assert torch.equal(old[name], new[name]), name
    assert old["hue"] is None and old["blurred"] is None


def test_in_parts_a_batch_is_the_same():
    augmentation, pixels = Augmentation(random_resized_crop=(0.3, 1), size=17, **SIMCLR), noise()
    whole = augmentation(pixels, generator(3))
    parts = [augmentation(pixels[i * 4 : i * 4 + 4], generator(3), (i, 3)) for i in range(3)]
    assert whole.shape == (12, 3, 17, 17) and torch.allclose(whole, torch.cat(parts), atol=1e-5)


@pytest.mark.parametrize("size", [12, 33])
def test_a_small_crop_is_torchvisions(size):
    """Of a smooth image: torchvision smooths before it shrinks, which changes noise but no ramp."""
    ramp = torch.arange(40.0).mul(6)
    image = torch.stack([ramp.expand(40, 40), ramp[:, None].expand(40, 40), ramp.expand(40, 40)], -1)
    augmentation = Augmentation(random_resized_crop=(0.4, 1), size=size, flip=False)
    draws = augmentation.draw(8, 40, 40, generator())
    out = augmentation.apply(image.to(torch.uint8).expand(8, 40, 40, 3), draws)
    for i, (top, left, height, width) in enumerate(draws["box"].int().tolist()):
        crop = tv.resized_crop(image.permute(2, 0, 1) / 255, top, left, height, width, [size, size], antialias=False)
        assert torch.allclose(out[i][:, 3:-3, 3:-3], tv.normalize(crop, MEAN, STD)[:, 3:-3, 3:-3], atol=2e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hue": 0.6}, "hue must lie in 0..0.5"),
        ({"grey": 1.5}, "grey and blur in 0..1"),
        ({"colour_share": 0.5}, "colour_share would not be used"),
        ({"size": 20}, "size = 20 would not be used"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**settings)
