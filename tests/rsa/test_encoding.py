"""Ridge encoding against scikit-learn, and its guards against leaks."""

import numpy as np
import pytest

from brainscore_granularity.rsa import encoding

pytest.importorskip("himalaya")


def world(seed=0, features=20, noise=1.0, images=150):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(images, features)) * 3 + 1, rng.normal(size=(features, 4))
    y = x @ w + noise * np.sqrt(features) * rng.normal(size=(images, 4)) + 5
    return x[:100], y[:100], x[100:], y[100:]


@pytest.mark.parametrize("features", [20, 300])  # primal and kernel form
def test_prediction_agrees_with_scikit_learn(features):
    sklearn = pytest.importorskip("sklearn.linear_model")
    x, y, x_test, y_test = world(features=features)
    fit = encoding.ridge(x, y, x_test, y_test, alphas=np.logspace(-1, 4, 8))
    z = (x - x.mean(0)) / x.std(0)
    for voxel in range(4):
        model = sklearn.Ridge(alpha=fit.alpha[voxel], fit_intercept=True).fit(z, y[:, voxel])
        expected = model.predict((x_test - x.mean(0)) / x.std(0))
        np.testing.assert_allclose(fit.prediction[:, voxel], expected, rtol=1e-6, atol=1e-6)
        assert fit.r[voxel] == pytest.approx(np.corrcoef(expected, y_test[:, voxel])[0, 1], abs=1e-8)


def test_alpha_is_the_best_by_cross_validation_of_the_fit_split():
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold, cross_val_score

    x, y, x_test, y_test = world(noise=3)
    alphas = np.array([1e-2, 1e1, 1e3])
    fit = encoding.ridge(x, y, x_test, y_test, alphas=alphas, seed=3)
    z, t = (x - x.mean(0)) / x.std(0), (y - y.mean(0)) / y.std(0)
    folds = KFold(5, shuffle=True, random_state=3)
    for voxel in range(4):
        scores = [
            cross_val_score(
                Ridge(alpha=a, fit_intercept=False),
                z,
                t[:, voxel],
                cv=folds,
                scoring="neg_mean_squared_error",
            ).mean()
            for a in alphas
        ]
        assert fit.selection[voxel] == pytest.approx(1 + max(scores), abs=1e-6)
        assert fit.alpha[voxel] == pytest.approx(alphas[np.argmax(scores)])


def test_backends_agree():
    pytest.importorskip("torch")
    data = world()
    a, b = (encoding.ridge(*data, alphas=[1.0, 100.0], backend=name) for name in ("numpy", "torch"))
    np.testing.assert_allclose(a.r, b.r, atol=1e-6)


def test_the_test_split_cannot_influence_the_fit():
    x, y, x_test, y_test = world()
    a = encoding.ridge(x, y, x_test, y_test)
    b = encoding.ridge(x, y, x_test, -1000 * y_test[::-1])
    np.testing.assert_array_equal(a.prediction, b.prediction)
    np.testing.assert_array_equal(a.selection, b.selection)


def test_noise_predicts_nothing_and_constants_predict_zero():
    x, y, x_test, y_test = world()
    rng = np.random.default_rng(9)
    noise = encoding.ridge(rng.normal(size=(100, 20)), y, rng.normal(size=(50, 20)), y_test)
    assert abs(noise.r.mean()) < 0.25
    constant = encoding.ridge(np.ones((100, 20)), y, np.ones((50, 20)), y_test)
    np.testing.assert_array_equal(constant.r, 0)
    assert (constant.r2 <= 1e-12).all()


def test_layer_is_chosen_by_the_fit_split():
    x, y, *_ = world()
    rng = np.random.default_rng(1)
    layers = {
        "early": rng.normal(size=(100, 50)),
        "late": x + rng.normal(size=x.shape),
        "last": 0.1 * x[:, :5],
    }
    best, scores = encoding.choose_layer(layers, y)
    assert best == "late" and list(scores) == list(layers)


def test_voxel_ceiling_is_the_explainable_share():
    """With r2 of the noise-free truth as the ideal model: explained variance is 1."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(5000, 3)) * [2.0, 1.0, 0.0]
    repeats = signal + rng.normal(size=(3, 5000, 3))
    ceiling = encoding.voxel_ceiling(repeats)
    np.testing.assert_allclose(ceiling, [4 / (4 + 1 / 3), 1 / (1 + 1 / 3), 0], atol=0.03)
    y = repeats.mean(axis=0)
    fit = encoding.ridge(signal[:4000], y[:4000], signal[4000:], y[4000:], alphas=[1e-3], ceiling=ceiling)
    np.testing.assert_allclose(fit.explained[:2], 1, atol=0.05)
    assert np.isfinite(fit.r).all()


def test_unusable_input_says_what_is_expected():
    x, y, x_test, y_test = world()
    broken = x.copy()
    broken[7, 0] = np.nan
    with pytest.raises(ValueError, match="1 of 100 images hold NaN or infinity, first 7"):
        encoding.ridge(broken, y, x_test, y_test)
    with pytest.raises(ValueError, match="as many images"):
        encoding.ridge(x[:50], y, x_test, y_test)
    with pytest.raises(ValueError, match="test splits"):
        encoding.ridge(x, y, x_test[:, :3], y_test)
    with pytest.raises(ValueError, match="at least one layer"):
        encoding.choose_layer({}, y)
