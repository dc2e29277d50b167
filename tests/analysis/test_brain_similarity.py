"""Brain similarity of components, RSA with the most universal ones, and intervals over images, where they are known."""

import numpy as np
import pytest

from brainscore_granularity import rsa
from brainscore_granularity.analysis.measures import brain_similarity as brains
from brainscore_granularity.analysis.measures import universality as u
from brainscore_granularity.rsa.components import principal_components


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_more_channels_than_images_give_what_their_coordinates_give(rng):
    x, y = rng.normal(size=(60, 150)), rng.normal(size=(60, 300))
    left, s, _ = np.linalg.svd(x, full_matrices=False)
    found, expected = u.held_out(x, y), u.held_out(left * s, y)  # products of images, and columns
    assert np.allclose(found.predictions, expected.predictions) and np.allclose(found.r, expected.r)


def test_resampled_r_is_the_r_of_the_resampled_images(rng):
    x, y = rng.normal(size=(60, 5)), rng.normal(size=(60, 3))
    y[:, 0] += 2 * x[:, 0]
    found = u.held_out(x, y)
    ((some, drawn),) = u.resampled_r(found, y, resamples=400, seed=3)
    assert drawn[:, some].shape == (400, 3)
    counts = [np.random.default_rng(3)]
    counts = [counts[0].multinomial(len(f), np.full(len(f), 1 / len(f)), 400) for f in found.folds]
    expected = np.mean(
        [
            [np.corrcoef(np.repeat(found.predictions[f, t], c[0]), np.repeat(y[f, t], c[0]))[0, 1] for t in range(3)]
            for f, c in zip(found.folds, counts, strict=True)
        ],
        axis=0,
    )
    assert np.allclose(drawn[0], expected)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    assert (low < found.r).all() and (found.r < high).all() and low[0] > 0.5 and low[1] < 0.1


def test_intervals_over_networks_images_and_both_are_nested_as_they_should_be(rng):
    classes = np.array([2, 4, 8, 16])
    truth = 0.9 - 0.1 * np.log2(classes)[:, None] + 0.02 * rng.normal(size=(4, 7))
    samples = truth + 0.02 * rng.normal(size=(300, 4, 1))
    widths = {}
    for name, drawn, networks in (("networks", None, True), ("images", samples, False), ("both", samples, True)):
        found, low, high = u.bootstrapped_slope(classes, truth, drawn, 500, networks=networks)
        assert found == pytest.approx(-0.1, abs=0.02) and low <= found <= high
        widths[name] = high - low
    assert widths["both"] > max(widths["networks"], widths["images"]) > 0


def test_a_network_s_measures_count_layers_alike():
    import pandas as pd

    about = pd.DataFrame({"model": "m", "layer": ["a"] * 12 + ["b"] * 2, "rank": [*range(1, 13), 1, 2],
                          "variance": [1.0] * 12 + [3.0, 1.0]})  # fmt: skip
    weights = u.measure_weights(about, "m")
    assert np.allclose(weights.sum(axis=1), 1)
    assert weights[0, 12] == pytest.approx(0.5 * 3 / 4) and weights[1, 11] == 0
    assert weights[1, 0] == pytest.approx(0.05) and weights[2, 0] == pytest.approx(0.5 / 12)


def test_an_rdm_is_as_good_as_the_standardised_responses_it_came_from(rng):
    responses, y = rng.normal(size=(50, 200)), rng.normal(size=(50, 4))
    y[:, 0] = responses[:, :20].sum(axis=1)
    patterns = responses - responses.mean(axis=1, keepdims=True)
    patterns /= np.linalg.norm(patterns, axis=1, keepdims=True)
    back = brains.coordinates(rsa.rdm(responses))
    assert np.allclose(back @ back.T, patterns @ patterns.T)
    assert np.allclose(u.held_out_r(back, y), u.held_out_r(patterns, y))


def test_components_that_brains_have_are_found_and_others_are_not(rng):
    dimensions, noise = rng.normal(size=(300, 6)), rng.normal(size=(300, 6))
    subjects = [dimensions @ rng.normal(size=(6, 40)) + 2 * rng.normal(size=(300, 40)) for _ in range(4)]
    found = brains.brain_similarity(subjects, np.hstack([dimensions, noise]), resamples=100)
    assert (found.r[:6] > 0.6).all() and (np.abs(found.r[6:]) < 0.15).all() and (np.abs(found.permuted) < 0.2).all()
    # Free of the noise of subjects, what they share would predict these dimensions perfectly.
    assert (found.adjusted[:6] > found.r[:6]).all() and np.abs(found.adjusted[:6] - 1).max() < 0.1
    low, high = np.quantile(found.samples, [0.025, 0.975], axis=0)
    assert (low[:6] > 0.5).all() and (high[6:] < 0.3).all()


def test_one_subject_cannot_be_adjusted(rng):
    found = brains.brain_similarity([rng.normal(size=(60, 9))], rng.normal(size=(60, 2)), resamples=10)
    assert np.isnan(found.adjusted).all() and np.isfinite(found.r).all()


@pytest.mark.slow
def test_universal_components_that_carry_the_brain_s_geometry_are_told_from_large_ones(rng):
    images = 60
    shared, private = rng.normal(size=(images, 5)), rng.normal(size=(images, 5))
    x = np.hstack([1.0 * shared, 4.0 * private]) @ np.linalg.qr(rng.normal(size=(40, 40)))[0][:10] + 3
    principal = principal_components(x, np.arange(images))
    subjects = np.stack([rsa.rdm(shared @ rng.normal(size=(5, 80)) + rng.normal(size=(images, 80))) for _ in range(3)])
    universality = np.array([abs(u.correlation(shared, np.repeat(z[:, None], 5, axis=1))).max()
                             for z in principal.scores.T])  # fmt: skip
    rows = {row["kept"]: row for row in brains.kept_components(principal, np.arange(images), universality, subjects,
                                                               resamples=100)}  # fmt: skip
    five = rows[5]
    assert five["difference_low"] > 0 and five["universal"] > max(five["largest"], five["random"])
    assert five["low"] < five["universal"] < five["high"]
    whole = np.mean([rsa.compare(rsa.rdm(x), subject) for subject in subjects])
    assert five["all"] == pytest.approx(whole)


def test_a_shared_cause_is_taken_out_of_a_rank_correlation(rng):
    cause, a, b = rng.normal(size=(3, 2000))
    assert abs(brains.partial_spearman(cause + a, cause + b, cause)) < 0.1
    assert brains.partial_spearman(a + b, a - 0.1 * b, cause) > 0.5


@pytest.mark.slow
def test_on_the_world_brains_and_the_most_universal_components_are_reported(tmp_path):
    import json

    import pandas as pd

    from brainscore_granularity.cli import main as cli

    models = [f"granularity_world_{kind}_s1" for kind in ("own_k2", "own_k8", "native", "untrained")]
    cli.main(["analyze", "universality", "--models", *models, "--benchmarks", "World.IT-rsa", "--layers", "relu4",
              "relu5", "--results", str(tmp_path), "--components", "12", "--resamples", "40"])  # fmt: skip
    folder = tmp_path / "analyses" / "universality"
    record = json.loads((folder / "analysis.json").read_text())
    brain = pd.read_csv(folder / "brain.csv").set_index("model")
    # The coarse brain has the axis of the two-class network, and little of an untrained one.
    assert brain.loc[models[0], "low"] > brain.loc[models[3], "high"] and abs(brain["permuted"]).max() < 0.15
    trend = pd.read_csv(folder / "trend.csv")
    assert (trend["low_both"] <= trend["slope_per_doubling"]).all() and (trend["high_both"] >= trend["low_both"]).all()
    assert "Brains: World.IT-rsa" in record["answer"] and "most_universal.svg" in str(record["figures"])
