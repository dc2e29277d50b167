"""Verdicts on differences: from estimates whose answer is known."""

import numpy as np
import pytest

from brainscore_granularity import stats
from brainscore_granularity.report import differences

SCORES = {
    "granularity_tiny_fitted_s1": 0.10,
    "granularity_tiny_own_k2_s1": 0.12,
    "granularity_tiny_own_k4_s1": 0.28,
    "granularity_tiny_own_k8_s1": 0.31,
    "granularity_tiny_own_k16_s1": 0.45,
    "granularity_tiny_native_s1": 0.30,
}


def estimates(error):
    """Weighted sums of known scores, each with the same error."""

    def of(scale, sums):
        found = []
        for weights in sums:
            value = sum(weight * SCORES[model] for model, weight in weights.items())
            p = float(np.clip(2 * (1 - stats_cdf(abs(value) / error)), 0, 1))
            found.append(stats.Estimate(value, error, value - 2 * error, value + 2 * error, p, 1000.0))
        return found

    return of


def stats_cdf(z):
    from statistics import NormalDist

    return NormalDist().cdf(z)


def verdicts(error):
    found = differences.against("native", SCORES, estimates(error))
    own = found[found["scale"] == "fMRI"].set_index("model")["verdict"]
    return {name.split("_")[3] if "own" in name else name.split("_")[2]: verdict for name, verdict in own.items()}


def test_a_small_error_tells_better_worse_and_as_well():
    """The margin is a quarter of .20: .28 and .31 lie within .05 of native, .45 and .12 beyond."""
    assert verdicts(0.012) == {
        "fitted": "worse", "k2": "worse", "k4": "as well", "k8": "as well", "k16": "better"
    }  # fmt: skip


def test_a_large_error_leaves_small_differences_open():
    assert verdicts(0.04) == {"fitted": "worse", "k2": "worse", "k4": "open", "k8": "open", "k16": "better"}


def test_a_tiny_error_finds_a_difference_within_the_margin():
    assert verdicts(0.001)["k4"] == "worse, within the margin"


def test_where_native_training_adds_nothing_no_difference_is_within_a_share_of_it(monkeypatch):
    monkeypatch.setitem(SCORES, "granularity_tiny_fitted_s1", 0.33)
    assert verdicts(0.001)["k8"] == "better" and verdicts(0.02)["k8"] == "open"


def test_against_fitted_there_are_differences_and_no_verdict():
    found = differences.against("fitted", SCORES, estimates(0.02))
    assert "verdict" not in found and set(found["model"]) == set(SCORES) - {"granularity_tiny_fitted_s1"}
    header, rows = differences.markdown_of(found)
    assert header == ["trained on", "spiking", "q", "fMRI", "q", "behaviour", "q"]
    assert rows[-1][0] == "native" and rows[-1][1] == "**+0.200 (+0.160 to +0.240)**"


def test_a_missing_baseline_is_named():
    with pytest.raises(ValueError, match="no wordnet network among granularity_tiny_fitted_s1"):
        differences.against("wordnet", SCORES, estimates(0.02))
