"""Benchmarks that z-score a model's features over the images before comparing them."""

import numpy as np
import pytest
from brainscore_vision import load_benchmark
from candidates import Given
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr, zscore

from brainscore_granularity.brains import layers
from brainscore_granularity.brains.benchmark import RSABenchmark
from brainscore_granularity.runner.session import Session

BENCHMARK, MODEL = "World.IT-rsa", "granularity_world_own_k2_s1"


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("brainscore_granularity.brains.benchmark.N_BOOTSTRAP", 20)


@pytest.fixture
def benchmark():
    return load_benchmark(BENCHMARK)


def raw(score) -> float:
    return float(score.attrs["raw"])


def responding(benchmark, features):
    row = {stimulus: i for i, stimulus in enumerate(benchmark.order)}
    return Given(lambda ids: features[[row[name] for name in ids]])


def by_hand(benchmark, features) -> float:
    upper = np.triu_indices(len(features), 1)
    return np.mean([spearmanr(pdist(features, "correlation"), rdm[upper])[0] for rdm in benchmark.subject_rdms])


def unequal(benchmark):
    """Features of very different means and ranges, some of which know the images."""
    rng, n = np.random.default_rng(0), len(benchmark.order)
    return rng.gamma(1, 5, size=80) + rng.gamma(2, size=80) * rng.normal(size=(n, 80))


def test_the_score_is_that_of_z_scored_features_and_tells_both(benchmark):
    features = unequal(benchmark)
    score = benchmark.scaled("z-score")(responding(benchmark, features))
    expected = {"none": by_hand(benchmark, features), "z-score": by_hand(benchmark, zscore(features))}
    assert score.attrs["scalings"] == pytest.approx(expected, abs=1e-6)
    assert raw(score) == score.attrs["scalings"]["z-score"]
    plain = benchmark(responding(benchmark, features))
    assert raw(plain) == pytest.approx(expected["none"], abs=1e-6) and "scalings" not in plain.attrs
    assert raw(plain) != pytest.approx(raw(score), abs=1e-4)


def test_an_image_with_constant_features_has_no_score_without_scaling(benchmark):
    features = unequal(benchmark)
    features[3] = 1.0
    model = responding(benchmark, features)
    with pytest.raises(ValueError, match="1 of 256 images have constant features"):
        benchmark(model)
    score = benchmark.scaled("z-score")(model)
    assert np.isnan(score.attrs["scalings"]["none"]) and np.isfinite(score.item())


@pytest.mark.slow
def test_kept_rdms_of_the_two_scalings_are_two(home, benchmark):
    order = ("none", "z-score", "none")
    scores = [raw(benchmark.scaled(scaling)(Session().load(MODEL, BENCHMARK))) for scaling in order]
    assert scores[0] == scores[2] != pytest.approx(scores[1], abs=1e-3)
    assert len(list(home.glob("rdms/*/*.npz"))) == 2


@pytest.mark.slow
def test_a_table_of_layers_has_the_scores_of_its_scaling(benchmark):
    model = Session().load(MODEL, BENCHMARK)
    both = [benchmark, benchmark.scaled("z-score")]
    for each, table in zip(both, layers.tables(model, both, ["relu2", "fc5"], 9), strict=True):
        (committed,) = table[table["committed"]].itertuples()
        assert committed.raw == pytest.approx(raw(each(model)), abs=1e-6) and table.attrs["scaling"] == each.scaling


def test_what_cannot_be_is_refused(benchmark):
    with pytest.raises(ValueError, match="expected one of none, z-score, got 'unit'"):
        benchmark.scaled("unit")
    with pytest.raises(ValueError, match="expected one of none, z-score, got 'zscore'"):
        RSABenchmark("x-rsa", 1, "IT", lambda: None, None, "", scaling="zscore")
    choices = load_benchmark("World.triplet")
    assert choices.scaled("none") is choices
    with pytest.raises(ValueError, match="World.triplet compares features as they are; scaling='z-score' is for RSA"):
        choices.scaled("z-score")
