"""A small version of `make calibrate`: rates on simulated worlds of known truth, three standard errors
wide."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

spec = importlib.util.spec_from_file_location("calibrate", Path(__file__).parents[2] / "bench" / "calibrate.py")
calibrate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(calibrate)


@pytest.mark.slow
def test_permutation_false_positives():
    rate = np.mean([calibrate.permutation(seed) for seed in range(400)])
    assert rate == pytest.approx(0.05, abs=0.03)


@pytest.mark.slow
def test_best_layer_false_positives():
    rate = np.mean([calibrate.best_layer(seed) for seed in range(200)])
    assert rate == pytest.approx(0.05, abs=0.045)


@pytest.mark.slow
def test_intervals_cover_and_the_raw_subsample_does_not(monkeypatch):
    monkeypatch.setattr(calibrate, "truth", lambda function, draws: TRUTH)
    answers = [calibrate.interval(seed, n=300) for seed in range(100)]
    rates = {name: np.mean([a[name] for a in answers]) for name in answers[0]}
    raw = rates.pop("raw 90%")
    assert raw < 0.8
    for rate in rates.values():
        assert rate == pytest.approx(0.95, abs=0.06)


TRUTH = calibrate.truth(calibrate.score, 2)


def test_ceiling_contains_the_truth():
    assert np.mean([calibrate.ceiling(seed, pool=40) for seed in range(30)]) >= 0.9


def test_intervals_of_triplets_cover(monkeypatch):
    """Sparse and dense, every size of effect, and differences from what scores keep."""
    from bench import calibrate_triplets

    value = calibrate_triplets.truth(100_000, 4)
    monkeypatch.setattr(calibrate_triplets, "truth", lambda: value)
    for images, triplets in ((60, 1500), (1800, 2000)):
        answers = [calibrate_triplets.odd_one_out(seed, images, triplets) for seed in range(100)]
        for name in answers[0]:
            assert np.mean([a[name] for a in answers]) == pytest.approx(0.95, abs=0.07), (images, name)
