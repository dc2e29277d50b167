"""Ridge encoding against scikit-learn and himalaya, and its guards against leaks."""

import numpy as np
import pytest

from brainscore_granularity.rsa import encoding

ALPHAS = np.logspace(-1, 5, 7)


def world(images=120, features=40, units=4, noise=1.0, seed=0):
    """Features (images, features) and noisy linear responses (images, units), neither of mean 0."""
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(images, features)) * rng.gamma(2, size=features) + 3, rng.normal(size=(features, units))
    y = x @ w
    return x, y + noise * y.std(axis=0) * rng.normal(size=y.shape) + 5


@pytest.mark.parametrize("features", [20, 300])  # fewer and more than images
def test_agrees_with_scikit_learn_on_the_same_folds_and_penalties(features):
    """RidgeCV chooses by leave-one-out too, for each target on its own."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = world(features=features)
    fold = encoding.fold_of_images(len(x))
    found = encoding.cross_predict(x @ x.T, y, fold, ALPHAS)
    for k in range(encoding.FOLDS):
        theirs = linear_model.RidgeCV(ALPHAS, alpha_per_target=True).fit(x[fold != k], y[fold != k])
        np.testing.assert_allclose(found.alpha[k], theirs.alpha_)
        np.testing.assert_allclose(found.values[fold == k], theirs.predict(x[fold == k]), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("features", [20, 300])
def test_agrees_with_himalaya_on_the_same_folds_and_penalties(features):
    """Folds of one image are leave-one-out."""
    himalaya = pytest.importorskip("himalaya.kernel_ridge")
    from sklearn.model_selection import KFold

    x, y = world(images=60, features=features)
    fold = encoding.fold_of_images(len(x), 3)
    found = encoding.cross_predict(x @ x.T, y, fold, ALPHAS)
    for k in range(3):
        fit = fold != k
        theirs = himalaya.KernelRidgeCV(ALPHAS, fit_intercept=True, cv=KFold(fit.sum()), warn=False).fit(x[fit], y[fit])
        np.testing.assert_allclose(found.alpha[k], theirs.best_alphas_)
        np.testing.assert_allclose(found.values[~fit], theirs.predict(x[~fit]), rtol=1e-6, atol=1e-6)


def test_where_the_features_are_centred_does_not_matter():
    x, y = world()
    fold = encoding.fold_of_images(len(x))
    centred, shifted = x - x.mean(axis=0), x + 100
    a, b = (encoding.cross_predict(each @ each.T, y, fold, ALPHAS) for each in (centred, shifted))
    np.testing.assert_allclose(a.values, b.values, atol=1e-6)


def test_the_scale_of_the_features_does_not_matter():
    x, y = world()
    fold = encoding.fold_of_images(len(x))
    a, b = (encoding.cross_predict(scale * x @ x.T, y, fold) for scale in (1, 1e6))
    np.testing.assert_allclose(a.values, b.values, atol=1e-9)


def test_a_fold_cannot_influence_its_own_prediction():
    x, y = world()
    fold = encoding.fold_of_images(len(x))
    other = y.copy()
    other[fold == 2] *= -1000
    a, b = (encoding.cross_predict(x @ x.T, each, fold) for each in (y, other))
    np.testing.assert_array_equal(a.values[fold == 2], b.values[fold == 2])
    np.testing.assert_array_equal(a.alpha[2], b.alpha[2])
    assert not np.allclose(a.values[fold == 1], b.values[fold == 1])


def test_features_that_tell_nothing_predict_nothing_in_either_direction():
    """Over all folds at once, even a prediction by the mean of the others correlates negatively."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 200)), rng.normal(size=(60, 400))
    fold = encoding.fold_of_images(60)
    r = encoding.correlations(encoding.cross_predict(x @ x.T, y, fold).values, y, fold)
    assert abs(r.mean()) < 4 * r.std() / np.sqrt(len(r))
    means = np.stack([y[fold != k].mean(axis=0) for k in range(5)])[fold]
    assert np.mean([np.corrcoef(means[:, u], y[:, u])[0, 1] for u in range(400)]) < -0.1
    np.testing.assert_array_equal(encoding.correlations(means, y, fold), 0)


def test_correlations_of_resamples_are_those_of_the_repeated_images():
    rng = np.random.default_rng(0)
    p, y, fold = rng.normal(size=(40, 3)), rng.normal(size=(40, 3)), encoding.fold_of_images(40, 4)
    rows = rng.integers(0, 40, size=(2, 40))
    counts = np.stack([np.bincount(r, minlength=40) for r in rows])
    for r, drawn in zip(encoding.correlations(p, y, fold, counts), rows, strict=True):
        np.testing.assert_allclose(r, encoding.correlations(p[drawn], y[drawn], fold[drawn]), atol=1e-12)
    with pytest.MonkeyPatch.context() as patch:
        expected = encoding.correlations(p, y, fold, counts)
        patch.setattr(encoding, "UNITS", 2)
        np.testing.assert_allclose(encoding.correlations(p, y, fold, counts), expected, atol=1e-14)
    one = np.zeros(40, int)
    np.testing.assert_allclose(encoding.correlations(p, y, one)[0], np.corrcoef(p[:, 0], y[:, 0])[0, 1])


def test_the_share_of_signal_is_the_squared_correlation_of_the_truth():
    """Also where images were shown unequally often."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(5000, 3)) * [2.0, 1.0, 0.0]
    repeats = signal + rng.normal(size=(6, 5000, 3))
    repeats[3:, ::2] = np.nan
    share, mean = encoding.signal_share(repeats), np.nanmean(repeats, axis=0)
    noise = (1 / 3 + 1 / 6) / 2
    np.testing.assert_allclose(share, [4 / (4 + noise), 1 / (1 + noise), 0], atol=0.02)
    truth = [np.corrcoef(mean[:, u], signal[:, u])[0, 1] for u in range(2)]
    np.testing.assert_allclose(np.sqrt(share[:2]), truth, atol=0.01)


def test_unusable_input_says_what_is_expected():
    x, y = world()
    fold = encoding.fold_of_images(len(x))
    with pytest.raises(ValueError, match="expected gram"):
        encoding.cross_predict(x @ x.T, y[:50], fold)
    with pytest.raises(ValueError, match="finite"):
        encoding.cross_predict(np.full((len(x), len(x)), np.nan), y, fold)
    with pytest.raises(ValueError, match="two images or more"):
        encoding.fold_of_images(9, 5)
    with pytest.raises(ValueError, match="at least 2 of each image, got 1 of image 3"):
        repeats = np.zeros((2, 5, 1))
        repeats[1, 3] = np.nan
        encoding.signal_share(repeats)
