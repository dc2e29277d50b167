"""Networks as a random factor: exact where a reference is, no effects of nothing, and refusals with their reasons."""

import numpy as np
import pytest
from scipy.stats import f_oneway, linregress

from bench.calibrate_networks import KS, equal_rules, found, long_table, together, world
from brainscore_granularity import rsa, stats
from brainscore_granularity.analysis.measures import agreement
from brainscore_granularity.stats.ladder import FROM_LINE, FROM_SEEDS, Ladder


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def ladder(seeds: int) -> Ladder:
    return Ladder(np.tile(KS, seeds), np.repeat(np.arange(seeds), len(KS)))


def test_with_one_network_a_k_and_one_subject_it_is_linear_regression(rng):
    scores = rng.normal(0.2, 0.01, 6)
    ours, theirs = ladder(1).slope(scores[:, None]), linregress(np.log2(KS), scores)
    assert (ours.value, ours.error, ours.p, ours.df) == pytest.approx((theirs.slope, theirs.stderr, theirs.pvalue, 4))
    assert ladder(1).source == FROM_LINE and ladder(2).source == FROM_SEEDS


def test_without_blocks_any_effect_of_k_is_one_way_analysis_of_variance(rng):
    scores = rng.normal(0.2, 0.01, (3, 6))
    ours = Ladder(np.tile(KS, 3), ["one"] * 18).effect(scores.reshape(-1, 1))
    assert (ours.f, ours.p) == pytest.approx(tuple(f_oneway(*scores.T))) and (ours.df1, ours.df2) == (5, 12)


def test_two_way_analysis_of_variance_is_that_of_statsmodels(rng):
    import pandas as pd
    import statsmodels.formula.api as smf
    from statsmodels.stats.anova import anova_lm

    scores = rng.normal(0.2, 0.01, 18)
    data = pd.DataFrame({"score": scores, "k": np.tile(KS, 3), "seed": np.repeat([0, 1, 2], 6)}).drop(index=[4, 11])
    ours = Ladder(data["k"], data["seed"]).effect(data[["score"]].to_numpy())
    theirs = anova_lm(smf.ols("score ~ C(seed) + C(k)", data).fit()).loc["C(k)"]
    assert (ours.f, ours.p) == pytest.approx((theirs["F"], theirs["PR(>F)"]))


def test_judges_who_agree_are_one_judge(rng):
    """The same opinion sixteen times tells no more about networks than once."""
    one = rng.normal(0.2, 0.01, (18, 1))
    many = one + rng.normal(0, 0.05, 16)  # constant differences between judges are none of networks
    for test in (ladder(3).slope, ladder(3).effect):
        assert tuple(test(many)) == pytest.approx(tuple(test(one)), rel=1e-6)


def test_what_a_seed_adds_to_all_k_changes_nothing(rng):
    scores, of_seed = rng.normal(0.2, 0.01, (18, 4)), np.repeat(rng.normal(size=3), 6)[:, None]
    assert tuple(ladder(3).slope(scores)) == pytest.approx(tuple(ladder(3).slope(scores + of_seed)), rel=1e-6)
    assert tuple(ladder(3).effect(scores)) == pytest.approx(tuple(ladder(3).effect(scores + of_seed)), rel=1e-6)


def test_equal_slopes_of_two_scales_are_the_slope_of_their_difference(rng):
    a, b = rng.normal(0.2, 0.01, (2, 18, 1))
    assert ladder(3).equal([a, b]).p == pytest.approx(ladder(3).slope(a - b).p)
    np.testing.assert_allclose(ladder(3).equal([a, b]).f, ladder(3).equal([b, a]).f)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_no_effect_of_k_is_found_where_there_is_none(seeds):
    for sd in (0.0, 0.02):
        worlds = [found(seed, sd, seeds) for seed in range(300)]
        for name in worlds[0]:
            rate = np.mean([one[name] for one in worlds])
            if name.startswith("covered"):
                assert rate >= 0.93, (name, sd)
            else:
                assert rate <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300), (name, sd)


@pytest.mark.slow
def test_the_analysis_itself_finds_no_effect_of_nothing():
    """Sixteen judges of one network a K, network sd .01: every second study was called significant."""
    calls = []
    for seed in range(60):
        table = long_table(world(np.random.default_rng([13, seed]), 0.01, 1))
        slopes = agreement.agreement(table, 1).slopes.set_index("scale")
        calls.append(slopes.loc["judgments", "p"] <= 0.05)
    assert np.mean(calls) <= 0.1


@pytest.mark.slow
def test_curves_that_go_together_because_networks_do_are_not_called_related():
    assert np.mean([together(seed, 0.02, 3) for seed in range(200)]) <= 0.08


def test_an_effect_of_two_network_sds_is_found_with_five_seeds():
    line = 0.02 * np.linspace(-1, 1, 6)  # 4 sd from end to end, 2 sd to either side of the middle
    assert np.mean([found(seed, 0.01, 5, line)["slope, judgments"] for seed in range(100)]) > 0.99


def test_one_network_a_k_is_refused_with_the_reason(rng):
    table = long_table(world(rng, 0.01, 1))
    answer = agreement.agreement(table, 99)
    assert answer.effects["p"].isna().all() and answer.pairs["p"].isna().all()
    assert answer.slopes["networks_a_k"].eq(1).all() and answer.slopes["p"].between(0, 1).all()
    (said,) = [warning for warning in answer.warnings if "one network per K" in warning]
    assert "effects of the seed cannot be told from effects of K" in said
    full = agreement.agreement(long_table(world(rng, 0.01, 3)), 99)
    assert full.effects["p"].between(0, 1).all() and full.pairs["p"].between(0, 1).all()
    assert not any("one network per K" in warning for warning in full.warnings)


def test_label_sources_are_other_networks(rng):
    one = long_table(world(rng, 0.01, 2))
    both = one.assign(labels="own"), long_table(world(rng, 0.01, 2)).assign(labels="taxonomy")
    import pandas as pd

    found = agreement.agreement(pd.concat(both), 1)
    assert found.slopes["networks_a_k"].eq(4).all() and not any("label source" in w for w in found.warnings)
    with pytest.raises(ValueError, match="two scores of one network: labels one, K = 2, seed 0"):
        agreement.agreement(pd.concat(part.drop(columns="labels") for part in both), 1)


def test_networks_without_all_scores_are_left_out_and_said(rng):
    table = long_table(world(rng, 0.01, 3))
    gone = (table["k"] == 8) & (table["seed"] == 1) & (table["subject"] == "s3") & (table["scale"] == "fMRI")
    assert "1 of 18 networks have no score" in " ".join(agreement.agreement(table[~gone], 1).warnings)


def test_too_few_networks_are_an_error():
    with pytest.raises(ValueError, match="leave nothing to tell how much networks differ"):
        Ladder([2, 4], [1, 1])
    with pytest.raises(ValueError, match="there is no slope"):
        Ladder([2, 4], [1, 2])
    with pytest.raises(ValueError, match=r"expected finite numbers \(6 networks, subjects\), got \(5, 1\)"):
        ladder(1).slope(np.ones((5, 1)))


def test_over_networks_is_contrasts_where_there_is_one_network(rng):
    truth, *noise = rng.normal(size=(6, 24, 40))
    rdms, subjects = [rsa.rdm(truth + e) for e in noise[:2]], [rsa.rdm(truth + e) for e in noise[2:]]
    (ours,) = stats.over_networks(rdms, [[1, -1]], subjects, n=100)
    assert tuple(ours) == pytest.approx(tuple(stats.contrasts(rdms, [[1, -1]], subjects, n=100)[0]))
    with pytest.raises(ValueError, match=r"expected \(networks, 2\)"):
        stats.over_networks(rdms, [[1, -1, 0]], subjects, n=10)


@pytest.mark.slow
def test_equal_learning_rules_are_not_called_different():
    """Where seeds differ much and images little, taking the networks as fixed calls nearly everything different."""
    worlds = [equal_rules(seed, images=40, n=100) for seed in range(60)]
    assert np.mean([world["networks random"] for world in worlds]) <= 0.1
