import numpy as np
import pytest
from sklearn.linear_model import Ridge

from brainscore_granularity import rsa
from brainscore_granularity.world import images as world


@pytest.fixture(scope="module")
def training():
    return world.draw(48, seed=11)


@pytest.fixture(scope="module")
def held_out():
    return world.draw(8, seed=12)


def test_same_seed_same_images_other_seed_other_images():
    first, again, other = world.draw(2, seed=5), world.draw(2, seed=5), world.draw(2, seed=6)
    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, other.pixels)


def test_images_do_not_depend_on_how_they_are_cut_into_chunks(monkeypatch):
    whole = world.draw(2, seed=5)
    monkeypatch.setattr(world, "CHUNK", 7)
    assert np.array_equal(world.draw(2, seed=5).pixels, whole.pixels)


@pytest.mark.slow
def test_taxonomy_is_nested_and_balanced(training):
    for coarse, fine in ((2, 8), (8, 64)):
        labels = np.stack([world.taxonomy(training.fine, k) for k in (coarse, fine)])
        assert np.unique(labels, axis=1).shape[1] == fine  # each fine class lies in exactly one coarse class
    for k in (2, 8, 64):
        assert set(np.bincount(world.taxonomy(training.fine, k))) == {64 * 48 // k}
    with pytest.raises(ValueError, match="2, 8, 64"):
        world.taxonomy(training.fine, 4)


def test_every_fine_class_has_its_own_name_and_surface():
    names = {world.fine_name(fine) for fine in range(64)}
    assert len(names) == 64
    looks = {(fine // 8, int(world.texture(fine)), int(world.palette(fine))) for fine in range(64)}
    assert len(looks) == 64


def test_pose_carries_no_class_information(training):
    for level in (2, 8):
        classes = world.taxonomy(training.fine, level)
        for number in training.pose.T:
            between = np.var([number[classes == c].mean() for c in range(level)])
            assert between < 0.02 * number.var()


@pytest.fixture(scope="module")
def readout(training, held_out):
    """{k: what one ridge regression on the pixels gives the held-out images for each of k classes}."""
    flat, flat_held_out = (x.pixels.reshape(len(x.pixels), -1) / 255.0 for x in (training, held_out))
    classes = [np.eye(k)[world.taxonomy(training.fine, k)] for k in (2, 8, 64)]
    given = Ridge(alpha=1e4).fit(flat, np.concatenate(classes, axis=1)).predict(flat_held_out)
    return dict(zip((2, 8, 64), np.split(given, [2, 10], axis=1), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(("k", "limit"), [(2, 0.72), (8, 0.35), (64, 0.15)])
def test_pixels_alone_do_not_give_the_class(readout, held_out, k, limit):
    """A linear readout of the pixels stays far below the networks, which reach 0.95 at 2 and 8 classes."""
    assert np.mean(readout[k].argmax(axis=1) == world.taxonomy(held_out.fine, k)) < limit


def test_pixel_geometry_is_unrelated_to_the_taxonomy(held_out):
    pixels = rsa.rdm(held_out.pixels.astype(np.float32))
    for k in (2, 8, 64):
        classes = world.taxonomy(held_out.fine, k)
        different = (classes[:, None] != classes[None]).astype(float)
        assert rsa.compare(pixels, different) < 0.06
