import numpy as np
import pytest
from brainscore_granularity.training.labels import rule as labels

RNG = np.random.default_rng(0)


def correlated(n=500, d=12):
    return RNG.normal(size=(n, d)) @ RNG.normal(size=(d, d)) + 100 * RNG.normal(size=d)


@pytest.mark.parametrize("layer", ["conv4", "fc1", "fc2"])
def test_published_quadrants(real_data, layer):
    """Median cut and bit order of the published 4-way labels, all 50,000 rows of each layer."""
    data = np.load(real_data / "granularity" / "data_4way.npz")
    scores, quadrants = data[f"{layer}_pretrained_pcs"], data[f"{layer}_quadrants"]
    medians = data[f"{layer}_pretrained_medians"]
    assert np.array_equal(labels.nested_labels(scores, [4], medians)[4], quadrants)
    assert np.allclose(np.median(scores, axis=0), medians)
    assert np.array_equal(labels.nested_labels(scores, [4])[4], quadrants)


def test_pca_equals_singular_value_decomposition():
    features = correlated()
    pca = labels.fit_pca(lambda: [features], n_components=5)
    centred = features - features.mean(axis=0)
    _, singular, vt = np.linalg.svd(centred, full_matrices=False)
    assert np.allclose(pca.variances, singular**2 / (len(features) - 1))
    assert np.allclose(np.abs(pca.components.T @ vt[:5].T), np.eye(5), atol=1e-8)
    assert np.allclose(pca.scores(features).std(axis=0, ddof=1) ** 2, pca.variances[:5])


def test_pca_does_not_depend_on_the_blocks():
    features = correlated().astype(np.float32)
    whole = labels.fit_pca(lambda: [features])
    blocks = labels.fit_pca(lambda: np.array_split(features, 7))
    assert np.allclose(whole.components, blocks.components, atol=1e-9)


def test_pca_sign_is_fixed():
    features = correlated()
    pca = labels.fit_pca(lambda: [features])
    flipped = labels.fit_pca(lambda: [-features])
    assert np.allclose(pca.components, flipped.components)
    assert (pca.components.max(axis=0) == np.abs(pca.components).max(axis=0)).all()


def test_labels_are_nested_and_two_classes_are_balanced():
    ladder = labels.nested_labels(RNG.normal(size=(1001, 6)))
    assert list(ladder) == list(labels.LADDER)
    for k in labels.LADDER[:-1]:
        assert np.array_equal(ladder[2 * k] // 2, ladder[k])
    assert np.bincount(ladder[2]).tolist() == [501, 500]  # strictly above the median: the median image is in class 0


def test_first_component_is_the_most_significant_bit():
    scores = RNG.normal(size=(64, 3))
    label = labels.nested_labels(scores, [8])[8]
    assert np.array_equal(label >= 4, scores[:, 0] > np.median(scores[:, 0]))


def test_random_labels_are_balanced_and_permuted_labels_keep_their_sizes():
    random = labels.random_balanced(1003, 8, seed=1)
    assert set(np.bincount(random)) == {125, 126}
    skewed = np.repeat([0, 1, 2, 3], [5, 50, 500, 445])
    shuffled = labels.permuted(skewed, seed=1)
    assert np.array_equal(np.bincount(shuffled), np.bincount(skewed)) and not np.array_equal(shuffled, skewed)
    assert np.array_equal(shuffled, labels.permuted(skewed, seed=1))


@pytest.mark.parametrize("k", [0, 1, 3, 12, 100])
def test_classes_must_be_a_power_of_two(k):
    with pytest.raises(ValueError, match="power of two"):
        labels.nested_labels(RNG.normal(size=(10, 6)), [k])


def test_bad_features_are_named():
    with pytest.raises(ValueError, match="NaN or infinity"):
        labels.fit_pca(lambda: [np.full((5, 8), np.nan)])
    with pytest.raises(ValueError, match="at least 2 images"):
        labels.fit_pca(lambda: [np.ones((1, 8))])
    with pytest.raises(ValueError, match="first: image 1"):
        labels.unit_length(np.array([[1.0, 2], [0, 0]]))
    with pytest.raises(ValueError, match="64 classes need 6 components, got 3"):
        labels.nested_labels(RNG.normal(size=(10, 3)), [64])
