"""RDMs of few images are computed in float64, wherever the features are."""

import numpy as np
import pytest
from scipy.stats import rankdata

from brainscore_granularity import rsa
from brainscore_granularity.rsa import distances, gram
from brainscore_granularity.rsa import spool as streaming


@pytest.fixture(scope="module")
def features():
    """48 images of a ReLU layer whose units share a large mean: thousands of nearly equal distances."""
    rng = np.random.default_rng(0)
    shared = rng.gamma(2.0, size=6000)
    return np.maximum(shared + 0.3 * rng.normal(size=(48, 6000)), 0).astype(np.float32)


def in_memory(x, folder):
    return rsa.rdm(x)


def on_disk(x, folder):
    with streaming.Spool(folder / "layer") as spool:
        spool.write(0, x)
        return spool.rdm()


def on_device(x, folder):
    torch = pytest.importorskip("torch")
    return distances.device_rdm(torch.from_numpy(x), block=500)


@pytest.mark.parametrize("how", [in_memory, on_disk, on_device])
def test_ranks_of_few_images_are_those_of_float64(features, how, tmp_path, monkeypatch):
    expected = rankdata(rsa.upper(1 - np.corrcoef(features.astype(np.float64))))
    assert np.array_equal(rankdata(rsa.upper(how(features, tmp_path))), expected)
    monkeypatch.setattr(gram, "PRECISE_BELOW", 0)
    assert not np.array_equal(rankdata(rsa.upper(how(features, tmp_path))), expected)


def test_one_rule_decides():
    for images, dtype, single in ((199, np.float32, False), (200, np.float32, True), (500, np.float64, False)):
        assert gram.in_float32(images, dtype) is single
    few, many = (np.random.default_rng(1).normal(size=(n, 50)).astype(np.float32) for n in (199, 200))
    assert np.abs(rsa.rdm(few) - (1 - np.corrcoef(few.astype(float)))).max() < 1e-14
    assert 1e-14 < np.abs(rsa.rdm(many) - (1 - np.corrcoef(many.astype(float)))).max() < 1e-5


def test_half_precision_keeps_what_it_has(features):
    half = features.astype(np.float16)
    np.testing.assert_allclose(rsa.rdm(half), 1 - np.corrcoef(half.astype(float)), atol=1e-13)
