"""Equivalence tests: a reference library, theorems, size at the edge of the margin, and what may be said."""

import doctest

import numpy as np
import pytest
from statsmodels.stats.weightstats import ttost_ind, ttost_paired

from bench.calibrate_networks import equivalent_at_the_margin
from brainscore_granularity import stats
from brainscore_granularity.stats import margins as module
from brainscore_granularity.stats.margins import BOTH, DIFFERENT, EQUIVALENT, UNDECIDED


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("shift", [0.0, 0.01, -0.02, 0.05])
def test_p_is_that_of_statsmodels(rng, shift):
    x, y = rng.normal(0.2, 0.01, 6), rng.normal(0.2, 0.01, 6) + shift
    assert stats.equivalence(x, y, 0.02).p == pytest.approx(ttost_paired(x, y, -0.02, 0.02)[0], rel=1e-9)
    welch = ttost_ind(x, y[:4], -0.02, 0.02, usevar="unequal")[0]
    assert stats.equivalence(x, y[:4], 0.02, paired=False).p == pytest.approx(welch, rel=1e-9)


def test_the_90_interval_is_within_the_margin_where_the_test_passes(rng):
    verdicts = set()
    for _ in range(300):
        found = stats.equivalence(*rng.normal(0.2, 0.01, (2, 5)), 0.015)
        assert (found.p < 0.05) == (-0.015 < found.low_90 and found.high_90 < 0.015)
        assert (found.p_different < 0.05) == (found.low_95 > 0 or found.high_95 < 0)
        assert found.low_95 < found.low_90 < found.difference < found.high_90 < found.high_95
        verdicts.add(found.verdict)
    assert verdicts >= {EQUIVALENT, UNDECIDED}


HOW = {
    "networks": lambda x, y, scale: stats.equivalence(x, y, 0.02),
    "estimated margin": lambda x, y, scale: stats.equivalence(x, y, share=0.1, scale=scale),
    "resamples": lambda x, y, scale: stats.equivalence_on_resamples(
        (x - y).mean(), (x - y).mean() + 0.1 * np.tile(scale - scale.mean(), 20), 0.02
    ),
}


@pytest.mark.parametrize("how", HOW)
def test_exchanging_the_conditions_changes_the_sign_only(rng, how):
    for shift in (0.0, 0.01, 0.03):
        x, y, scale = rng.normal(0.2, 0.01, (3, 6))
        samples = scale - scale.mean()
        scale = np.concatenate([scale, scale.mean() - samples]) if how == "resamples" else scale
        one, other = HOW[how](x + shift, y, scale), HOW[how](y, x + shift, scale)
        assert one.verdict == other.verdict and one.p == pytest.approx(other.p, rel=1e-9)
        assert one.difference == pytest.approx(-other.difference) and one.low_90 == pytest.approx(-other.high_90)


def test_nothing_is_equivalent_within_no_margin(rng):
    for _ in range(50):
        x, y, scale = rng.normal(0.2, 0.01, (3, 5))
        found = (
            stats.equivalence(x, y, 0.0),
            stats.equivalence(x, y, share=0.0, scale=scale),
            stats.equivalence_on_resamples(0.0, rng.normal(0, 0.01, 200), 0.0),
        )
        assert all(one.p >= 0.5 and one.verdict in (DIFFERENT, UNDECIDED) for one in found)
    assert stats.equivalence([0.2] * 3, [0.2] * 3, 0.0).verdict == UNDECIDED
    assert stats.equivalence([0.2] * 3, [0.2] * 3, 0.01).verdict == EQUIVALENT


def test_a_wider_margin_never_makes_equivalence_less_likely(rng):
    x, y = rng.normal(0.2, 0.01, (2, 5))
    p = [stats.equivalence(x, y, width).p for width in (0, 0.005, 0.01, 0.02, 0.05)]
    assert p == sorted(p, reverse=True)


def test_as_well_as_is_said_only_where_it_passes(rng):
    noise = rng.normal(0, 1, 6)
    noise -= noise.mean()
    cases = {
        EQUIVALENT: (0.0, 0.002), DIFFERENT: (-0.05, 0.002), BOTH: (0.01, 0.002), UNDECIDED: (0.0, 0.2),
    }  # fmt: skip
    for verdict, (shift, sd) in cases.items():
        found = stats.equivalence(0.2 + shift + sd * noise, np.full(6, 0.2), 0.02)
        assert found.verdict == verdict
        said = found.sentence("K = 8", "native")
        assert said.endswith(".") and said.startswith(("K = 8", "Whether K = 8"))
        claims = "as well as" in said and not said.startswith("Whether")
        assert claims == (found.p < 0.05)
        assert ("excluded" in said) == (verdict == UNDECIDED)


def test_the_margin_is_a_share_of_what_learning_brings():
    assert stats.equivalence_margin(0.25, 0.2, 0.1) == pytest.approx(0.025)
    with pytest.raises(ValueError, match="a share of it is no margin"):
        stats.equivalence_margin(0.25, 0.1, 0.1)
    with pytest.raises(ValueError, match="share: expected 0 or more"):
        stats.equivalence_margin(-1, 0.2, 0.1)


def test_an_estimated_margin_costs_certainty(rng):
    """The same margin on average: known exactly, or from native and untrained networks that differ by seed."""
    x, y, noise = rng.normal(0.2, 0.004, (3, 8))
    steady = np.full(8, 0.04)
    varied = 0.04 + 10 * (noise - noise.mean())
    known = stats.equivalence(x, y, 0.01)
    assert stats.equivalence(x, y, share=0.25, scale=steady).p == pytest.approx(known.p, rel=1e-9)
    assert stats.equivalence(x, y, share=0.25, scale=varied).p > known.p


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(first=[0.2], second=[0.2], width=0.1), "2 networks or more"),
        (dict(first=[0.2, 0.3], second=[0.2, 0.3, 0.1], width=0.1), "or paired=False"),
        (dict(first=[0.2, np.nan], second=[0.2, 0.3], width=0.1), "finite scores"),
        (dict(first=[0.2, 0.3], second=[0.2, 0.3]), "width, or share and scale"),
        (dict(first=[0.2, 0.3], second=[0.2, 0.3], share=0.2), "width, or share and scale"),
        (dict(first=[0.2, 0.3], second=[0.2, 0.3], share=0.2, scale=[-0.1, -0.2]), "no margin"),
        (dict(first=[0.2, 0.3], second=[0.2, 0.3], width=-1), "0 or more"),
    ],
)
def test_what_cannot_be_tested_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        stats.equivalence(**arguments)


def test_of_an_estimate_over_images_and_networks():
    rng = np.random.default_rng(1)
    z, *noise = rng.normal(size=(12, 30, 60))
    networks = [np.corrcoef(z + e) for e in noise[:8]]
    pairs = np.hstack([np.eye(4), -np.eye(4)])
    (estimate,) = stats.over_networks(networks, [pairs], [np.corrcoef(z + e) for e in noise[8:]], n=200)
    found = stats.equivalence_of(estimate, 0.5)
    assert found.verdict == EQUIVALENT and (found.low_95, found.high_95) == pytest.approx((estimate.low, estimate.high))
    assert found.p_different == pytest.approx(estimate.p)
    with pytest.raises(ValueError, match="degrees of freedom"):
        stats.equivalence_of(estimate._replace(df=np.nan), 0.5)


@pytest.mark.slow
def test_size_at_the_edge_of_the_margin():
    worlds = [equivalent_at_the_margin(seed) for seed in range(1000)]
    for how in worlds[0]:
        assert np.mean([world[how] for world in worlds]) == pytest.approx(0.05, abs=0.014), how


def test_examples():
    assert doctest.testmod(module).failed == 0
