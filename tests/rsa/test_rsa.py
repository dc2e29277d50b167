"""RDMs and their comparison: theorems, independent libraries, degenerate features."""

import doctest
import importlib
import warnings

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr

from brainscore_granularity import rsa
from brainscore_granularity.rsa import distances, gram

METRICS = {"correlation": "correlation", "euclidean": "euclidean", "cosine": "cosine"}


def features(seed=0, shape=(12, 30)):
    return np.random.default_rng(seed).normal(size=shape)


def rdm_pair(seed=0, n=14, levels=None):
    """Two related RDMs; with ``levels``, entries are rounded to so many values, and tie."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 20))
    a, b = rsa.rdm(x), rsa.rdm(x + rng.normal(size=x.shape))
    return (np.round(a * levels) / levels, np.round(b * levels) / levels) if levels else (a, b)


@pytest.mark.parametrize("distance", METRICS)
def test_rdm_agrees_with_scipy(distance):
    x = features(shape=(12, 3, 5, 2)) + 0.5
    expected = squareform(pdist(x.reshape(12, -1), METRICS[distance]))
    np.testing.assert_allclose(rsa.rdm(x, distance), expected, atol=1e-12)


def test_rdm_agrees_with_rsatoolbox():
    data, rdms = pytest.importorskip("rsatoolbox.data"), pytest.importorskip("rsatoolbox.rdm")
    x = features(1)
    noise = np.cov(features(2, (100, 30)).T)
    dataset = data.Dataset(x)
    for distance, method in (("correlation", "correlation"), ("mahalanobis", "mahalanobis")):
        ours = rsa.rdm(x, distance, noise=noise if distance == "mahalanobis" else None)
        theirs = rdms.calc_rdm(dataset, method=method, noise=np.linalg.inv(noise)).get_matrices()[0]
        np.testing.assert_allclose(ours, theirs, atol=1e-10)
    np.testing.assert_allclose(
        rsa.rdm(x, "euclidean") ** 2 / 30,
        rdms.calc_rdm(dataset, method="euclidean").get_matrices()[0],
        atol=1e-10,
    )


def test_crossnobis_agrees_with_rsatoolbox():
    data, rdms = pytest.importorskip("rsatoolbox.data"), pytest.importorskip("rsatoolbox.rdm")
    x = features(3, (4, 9, 6)) + features(4, (9, 6))
    noise = rsa.noise_covariance(x)
    dataset = data.Dataset(
        x.reshape(36, 6),
        obs_descriptors={"image": np.tile(np.arange(9), 4), "run": np.repeat(np.arange(4), 9)},
    )
    theirs = rdms.calc_rdm(
        dataset, method="crossnobis", descriptor="image", cv_descriptor="run", noise=np.linalg.inv(noise)
    )
    np.testing.assert_allclose(rsa.rdm(x, "crossnobis", noise=noise), theirs.get_matrices()[0], atol=1e-10)


def test_noise_covariance_is_the_mean_covariance_within_images():
    x = features(3, (5, 40, 6)) @ features(4, (6, 6)) + 10 * features(5, (40, 6))
    expected = np.mean([np.cov(x[:, image].T) for image in range(40)], axis=0)
    np.testing.assert_allclose(rsa.noise_covariance(x, shrinkage=0), expected, atol=1e-10)


def test_noise_covariance_shrinks_more_with_less_data():
    """The automatic weight takes most of the sampling error away where images are few, and little where
    many."""
    rng = np.random.default_rng(0)
    truth = np.diag([1.0, 2.0, 4.0, 8.0] * 5)

    def errors(images):
        x = rng.normal(size=(2, images, 20)) @ np.sqrt(truth)
        return [((rsa.noise_covariance(x, s) - truth) ** 2).sum() for s in (None, 0)]

    few, many = errors(15), errors(20_000)
    assert few[0] < 0.8 * few[1]
    assert abs(many[0] / many[1] - 1) < 0.3


def test_crossnobis_of_noise_has_no_bias():
    rng = np.random.default_rng(0)
    mean = [rsa.upper(rsa.rdm(rng.normal(size=(3, 8, 50)), "crossnobis")).mean() for _ in range(200)]
    assert abs(np.mean(mean)) < 4 * np.std(mean) / np.sqrt(200)


def test_float32_and_wide_features_keep_their_digits():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(20, 60_000)) + 100).astype(np.float32)  # a large common mean
    for distance in METRICS:
        np.testing.assert_allclose(rsa.rdm(x, distance), rsa.rdm(x.astype(float), distance), atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("centre", ["rows", "columns", None])
def test_parallel_kernel_agrees_with_numpy(monkeypatch, centre):
    """The oneDNN path, where torch has it; the same path by numpy's products elsewhere."""
    x = np.maximum(features(5, (300, 9001)), 0).astype(np.float32) + 0.25
    plain = gram.gram_of(lambda i, j: x[:, i:j], *x.shape, centre)
    monkeypatch.setattr(gram, "ONEDNN", 0)
    if gram.onednn() is None:
        pytest.skip("torch has no oneDNN kernel with AVX-512 here")
    fast = gram.gram_of(lambda i, j: x[:, i:j], *x.shape, centre, single=True)
    np.testing.assert_allclose(fast.matrix, plain.matrix, rtol=1e-5, atol=1e-6 * np.abs(plain.matrix).max())
    assert fast.width == plain.width == 9001


def test_block_size_does_not_matter(monkeypatch):
    x = features(6, (10, 1000))
    whole = rsa.rdm(x)
    monkeypatch.setattr(gram, "BLOCK", 7)
    np.testing.assert_allclose(rsa.rdm(x), whole, atol=1e-13)


def test_rotation_scale_and_shift_of_features_change_nothing():
    x = features(7)
    q = np.linalg.qr(features(8, (30, 30)))[0]
    np.testing.assert_allclose(rsa.rdm(x @ q, "euclidean"), rsa.rdm(x, "euclidean"), atol=1e-12)
    np.testing.assert_allclose(rsa.rdm(x + features(9, (1, 30)), "euclidean"), rsa.rdm(x, "euclidean"), atol=1e-12)
    np.testing.assert_allclose(rsa.rdm(3 * x - 5), rsa.rdm(x), atol=1e-12)


@pytest.mark.parametrize("method", rsa.METHODS)
def test_order_of_stimuli_changes_nothing(method):
    a, b = rdm_pair(1, levels=8)
    p = np.random.default_rng(0).permutation(len(a))
    order = np.ix_(p, p)
    assert rsa.compare(a[order], b[order], method) == pytest.approx(rsa.compare(a, b, method), abs=1e-12)
    assert rsa.compare(b, a, method) == pytest.approx(rsa.compare(a, b, method), abs=1e-12)


@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_rank_methods_see_order_alone(method):
    a, b = rdm_pair(2)
    assert rsa.compare(np.exp(3 * a), b, method) == pytest.approx(rsa.compare(a, b, method), abs=1e-12)


@pytest.mark.parametrize("levels", [None, 5])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("spearman", "spearman"),
        ("pearson", "corr"),
        ("cosine", "cosine"),
        ("kendall", "tau-a"),
        ("whitened", "cosine_cov"),
    ],
)
def test_compare_agrees_with_rsatoolbox(ours, theirs, levels):
    rdms = pytest.importorskip("rsatoolbox.rdm")
    a, b = rdm_pair(3, levels=levels)
    expected = rdms.compare(rdms.RDMs(rsa.upper(a)[None]), rdms.RDMs(rsa.upper(b)[None]), method=theirs)[0, 0]
    assert rsa.compare(a, b, ours) == pytest.approx(expected, abs=1e-10)


def test_whitened_cosine_is_the_cosine_under_the_covariance_of_the_entries():
    """By brute force: v = xi xi^T * xi xi^T with xi the contrasts between images."""
    a, b = rdm_pair(4, n=6)
    i, j = np.triu_indices(6, 1)
    contrasts = np.eye(6)[i] - np.eye(6)[j]
    inverse = np.linalg.inv((contrasts @ contrasts.T) ** 2)
    x, y = rsa.upper(a), rsa.upper(b)
    expected = x @ inverse @ y / np.sqrt((x @ inverse @ x) * (y @ inverse @ y))
    assert rsa.compare(a, b, "whitened") == pytest.approx(expected, abs=1e-10)


def test_tau_a_by_brute_force_with_ties():
    a, b = rdm_pair(5, n=7, levels=4)
    x, y = rsa.upper(a), rsa.upper(b)
    i, j = np.triu_indices(len(x), 1)
    expected = (np.sign(x[i] - x[j]) * np.sign(y[i] - y[j])).mean()
    assert rsa.compare(a, b, "kendall") == pytest.approx(expected, abs=1e-12)


def test_partial_correlation_agrees_with_the_textbook():
    """(r_ab - r_ac r_bc) / sqrt((1 - r_ac^2)(1 - r_bc^2)) on ranks, ties included."""
    a, b = rdm_pair(6, levels=6)
    c = rsa.rdm(features(10, (14, 20))) + a / 2
    ab, ac, bc = (spearmanr(rsa.upper(x), rsa.upper(y))[0] for x, y in ((a, b), (a, c), (b, c)))
    expected = (ab - ac * bc) / np.sqrt((1 - ac**2) * (1 - bc**2))
    assert rsa.compare(a, b, control=c) == pytest.approx(expected, abs=1e-12)
    assert rsa.compare(a, b, control=[c, c]) == pytest.approx(expected, abs=1e-10)  # one control twice is one


def test_partial_correlation_removes_a_shared_nuisance():
    a, b, nuisance = (rsa.rdm(features(seed, (30, 40))) for seed in (1, 2, 3))
    a, b = a + nuisance, b + nuisance
    assert rsa.compare(a, b) > 0.3
    assert abs(rsa.compare(a, b, control=nuisance)) < 0.15
    with pytest.raises(ValueError, match="control explains a completely"):
        rsa.compare(a, b, control=a)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("distance", rsa.DISTANCES)
def test_broken_features_name_image_and_layer(value, distance):
    x = features(shape=(2, 5, 8)) if distance == "crossnobis" else features(shape=(5, 8))
    x[..., 3, 2] = value
    with pytest.raises(rsa.DegenerateFeatures, match=r"1 of 5 images .* layer 'conv2': image 3 \(dog\)"):
        rsa.rdm(x, distance, images=["a", "b", "c", "dog", "e"], layer="conv2")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6])
def test_constant_images_are_named(dtype, constant):
    x = features(shape=(5, 20_000)).astype(dtype)
    x[1] = constant
    with pytest.raises(rsa.DegenerateFeatures, match="1 of 5 images have constant features: image 1. .*euclidean"):
        rsa.rdm(x)
    assert np.isfinite(rsa.rdm(x, "euclidean")).all()


def test_nearly_constant_images_are_not_degenerate():
    x = np.float32(1000) + features(shape=(5, 100)).astype(np.float32) * np.float32(0.01)
    np.testing.assert_allclose(rsa.rdm(x), 1 - np.corrcoef(x.astype(float)), atol=1e-3)


def test_unusable_rdms_are_refused():
    a, b = rdm_pair()
    broken = a.copy()
    broken[0, 1] = np.nan
    for bad, message in (
        (np.ones_like(a), "constant"),
        (broken, "1 of 91 entries"),
        (a[:5], "expected one RDM"),
    ):
        with pytest.raises(ValueError, match=message):
            rsa.compare(bad, b)
    with pytest.raises(ValueError, match="spearman, pearson, kendall"):
        rsa.compare(a, b, "spaerman")
    with pytest.raises(ValueError, match="same images"):
        rsa.compare(a, b[:9, :9])


def test_torch_tensors_give_the_same_rdm():
    torch = pytest.importorskip("torch")
    x = features(shape=(6, 3, 4, 4))
    np.testing.assert_array_equal(rsa.rdm(torch.from_numpy(x).requires_grad_()), rsa.rdm(x))


@pytest.mark.parametrize(
    "module",
    [
        "rsa", "rsa.comparison", "rsa.degenerate", "rsa.distances", "rsa.feature_scaling", "rsa.gram", "rsa.noise",
        "rsa.spool", "rsa.triplets", "rsa.encoding", "stats",
        "stats.overlaps", "stats.resampling", "stats.ceiling", "stats.intervals", "stats.paired", "stats.permutation",
        "stats.ranking", "stats.checks", "stats.choice_error", "stats.estimates", "stats.layer_choice",
        "stats.triplet_scorer", "threads",
    ],
)  # fmt: skip
def test_examples_in_docstrings(module):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        result = doctest.testmod(importlib.import_module(f"brainscore_granularity.{module}"))
    assert result.attempted > 0 and result.failed == 0


def test_importing_numbers_does_not_import_torch():
    import subprocess
    import sys

    code = (
        "import sys, brainscore_granularity.rsa, brainscore_granularity.stats;"
        "print([m for m in ('torch', 'numba', 'himalaya', 'brainscore_vision') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
    assert distances.DISTANCES == rsa.DISTANCES
