import numpy as np
import pytest
from scipy.stats import pearsonr

from brainscore_granularity.analysis.measures import universality as u
from brainscore_granularity.rsa.components import principal_components


def data(n=80, p=12, t=5, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    return x, x @ rng.normal(size=(p, t)) + rng.normal(size=(n, t)) * np.arange(t)


def test_the_penalty_and_prediction_are_those_of_leaving_each_image_out():
    x, y = data(n=40)
    prediction, chosen = u.Predictors(x, x[:7]).predict(y)

    def fit(x, y, alpha, new):
        centred = x - x.mean(axis=0)
        w = np.linalg.solve(centred.T @ centred + alpha * np.eye(x.shape[1]), centred.T @ (y - y.mean()))
        return (new - x.mean(axis=0)) @ w + y.mean()

    for target in range(y.shape[1]):
        own, scores = y[:, target], []
        for alpha in u.ALPHAS:
            left = [fit(np.delete(x, i, 0), np.delete(own, i), alpha, x[i]) for i in range(len(x))]
            scores.append(pearsonr(left, own)[0])
        best = u.ALPHAS[int(np.argmax(scores))]
        assert chosen[target] == best
        assert np.allclose(prediction[:, target], fit(x, own, best, x[:7]))


def test_two_copies_of_one_network_are_universal_and_a_rotation_changes_nothing():
    x = np.random.default_rng(0).normal(size=(200, 20)) * np.arange(1, 21) ** -0.5
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(20, 20)))[0]
    scores, variances, *_ = principal_components(x, np.arange(100))
    r = u.held_out_r(x[100:], scores[100:])
    assert len(variances) == 20 and (r > 0.999999).all()
    noisy = x + 0.3 * np.random.default_rng(2).normal(size=x.shape)
    one, other = (u.held_out_r(each[100:], scores[100:]) for each in (noisy, noisy @ rotation))
    assert np.allclose(one, other) and (one < 0.999).all()


def test_independent_noise_and_permuted_images_score_zero():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(600, 10)), rng.normal(size=(600, 40))
    assert abs(u.held_out_r(x, y).mean()) < 0.02
    assert abs(u.held_out_r(x[rng.permutation(600)], x).mean()) < 0.05


def test_more_channels_than_images_and_dead_channels_are_no_problem():
    x, y = data(n=50, p=80)
    x[:, 3] = 0
    assert np.isfinite(u.held_out_r(x, y)).all()
    assert u.held_out_r(np.zeros((50, 4)), y).tolist() == [0] * y.shape[1]


def test_a_slope_is_found_and_one_network_predicting_all_alike_gives_none():
    classes = np.array([2, 4, 8, 16])
    noise = 0.01 * np.random.default_rng(0).normal(size=(4, 6))
    found, low, high = u.bootstrapped_slope(classes, 0.9 - 0.1 * np.log2(classes)[:, None] + noise)
    assert found == pytest.approx(-0.1, abs=0.01) and low <= found <= high < 0


def test_too_few_images_are_named():
    with pytest.raises(ValueError, match="5 folds need at least 20 images, got 19"):
        u.held_out_r(np.zeros((19, 2)), np.zeros((19, 1)))


@pytest.mark.slow
def test_on_the_world_every_pair_is_there_and_seeds_make_a_pool_of_their_own(tmp_path):
    import pandas as pd

    from brainscore_granularity.cli import main as cli

    models = [f"granularity_world_{kind}_s{seed}" for kind in ("own_k2", "own_k8", "native") for seed in (1, 2)]
    cli.main(["analyze", "universality", "--models", *models, "--images", "World", "--layers", "relu5", "--results",
              str(tmp_path), "--components", "10", "--resamples", "50"])  # fmt: skip
    folder = tmp_path / "analyses" / "universality"
    pairs = pd.read_csv(folder / "pairs.csv")
    assert set(pairs["pool"]) == {"same", "others"} and (pairs["model"] != pairs["predictor"]).all()
    assert pairs["r"].mean() > 0.3 and abs(pairs["permuted"].mean()) < 0.1
    assert set(pd.read_csv(folder / "trend.csv")["measure"]) == {"weighted", "first_10", "mean"}


def test_more_components_than_images_to_fit_them_are_refused(tmp_path, capsys):
    from brainscore_granularity.cli import main as cli

    with pytest.raises(SystemExit):
        cli.main(["analyze", "universality", "--models", "granularity_world_own_k2_s1", "--images", "World", "--layers",
                  "relu5", "--results", str(tmp_path), "--components", "200"])  # fmt: skip
    assert "fitted on 128 images" in capsys.readouterr().err
