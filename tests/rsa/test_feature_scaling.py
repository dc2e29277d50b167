"""Features z-scored over the images: against numpy and scipy, in memory, on disk and on a device."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import zscore

from brainscore_granularity import rsa
from brainscore_granularity.rsa import distances
from brainscore_granularity.rsa import spool as streaming

SCALED = ("correlation", "cosine", "euclidean")


def features(seed=0, images=12, width=9000, dtype=np.float64):
    """Units of very different means and ranges, as a layer has, over several blocks of features."""
    rng = np.random.default_rng(seed)
    return (rng.gamma(1.0, 5, size=width) + rng.gamma(2.0, size=width) * rng.normal(size=(images, width))).astype(dtype)


@pytest.mark.parametrize("distance", SCALED)
@pytest.mark.parametrize(
    ("dtype", "images", "atol"), [(np.float64, 12, 1e-10), (np.float32, 12, 1e-10), (np.float32, 210, 1e-4)]
)
def test_equals_the_definition(distance, dtype, images, atol):
    x = features(images=images, dtype=dtype)
    expected = squareform(pdist(zscore(x.astype(np.float64)), distance))
    np.testing.assert_allclose(rsa.rdm(x, distance, scaling="z-score"), expected, atol=atol * (1 + expected.max()))


@pytest.mark.parametrize("distance", SCALED)
@pytest.mark.parametrize("images", [12, 210])
def test_features_on_disk_give_the_same_to_the_last_bit(distance, images, tmp_path):
    x = features(1, images, dtype=np.float32)
    with streaming.Spool(tmp_path / "layer") as spool:
        spool.write(0, x[:5]), spool.write(5, x[5:])
        for scaling in rsa.SCALINGS:
            assert np.array_equal(spool.rdm(distance, scaling=scaling), rsa.rdm(x, distance, scaling=scaling))


def test_layers_of_one_pass_and_tensors_on_a_device():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU()).eval()
    images = torch.randn(15, 3, 9, 9)
    streamed = streaming.layer_rdms(net, images.split(4), scaling="z-score")
    with torch.no_grad():
        np.testing.assert_allclose(streamed["1"], rsa.rdm(net(images), scaling="z-score"), atol=1e-6)
    for distance in SCALED:
        x = torch.from_numpy(features(2, 210, 700, np.float32))
        ours = distances.device_rdm(x, distance, block=300, scaling="z-score")
        np.testing.assert_allclose(ours, rsa.rdm(x, distance, scaling="z-score"), atol=1e-4)


@pytest.mark.parametrize("distance", SCALED)
def test_units_of_measurement_do_not_matter(distance):
    """Each feature shifted and stretched on its own; without scaling that changes the order of the distances."""
    x, rng = features(3, 20, 60), np.random.default_rng(4)
    other = x * rng.gamma(1, size=60) + rng.normal(size=60) * 10
    scaled = rsa.rdm(x, distance, scaling="z-score")
    np.testing.assert_allclose(rsa.rdm(other, distance, scaling="z-score"), scaled, atol=1e-7)
    assert rsa.compare(rsa.rdm(other, distance), rsa.rdm(x, distance)) < 0.9


def test_a_unit_that_is_the_same_for_all_images_says_nothing():
    x = features(5, 10, 50)
    dead = np.insert(x, [0, 20], [0.1, 1e6], axis=1)
    np.testing.assert_allclose(
        rsa.rdm(dead, "euclidean", scaling="z-score"), rsa.rdm(x, "euclidean", scaling="z-score"), atol=1e-12
    )


def test_none_is_the_default_and_others_are_refused():
    x = features(6, 8, 40)
    assert np.array_equal(rsa.rdm(x), rsa.rdm(x, scaling="none")) and rsa.SCALINGS == ("none", "z-score")
    with pytest.raises(ValueError, match="expected one of none, z-score, got 'zscore'"):
        rsa.rdm(x, scaling="zscore")
    with pytest.raises(ValueError, match="works with correlation, cosine and euclidean, got distance='mahalanobis'"):
        rsa.rdm(x, "mahalanobis", scaling="z-score")


def test_trouble_is_named_as_without_scaling():
    x = features(7, 8, 40)
    for value in (np.nan, np.inf):
        x[3, 5] = value
        with pytest.raises(rsa.DegenerateFeatures, match="1 of 8 images have NaN.* 'fc6': image 3"):
            rsa.rdm(x, layer="fc6", scaling="z-score")
    with pytest.raises(rsa.DegenerateFeatures, match="constant features"):
        rsa.rdm(np.tile(features(8, 1, 40), (8, 1)), scaling="z-score")
