"""Resampling is exact; ceilings, intervals and tests obey their theorems."""

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from brainscore_granularity import rsa, stats
from brainscore_granularity.stats import permutation, ranking
from brainscore_granularity.stats import resampling as module


def rdms(seed=0, k=2, n=15, levels=None, noise=1.0):
    """Related RDMs (k, n, n); with ``levels``, rounded, so that entries tie."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 20))
    out = np.stack([rsa.rdm(x + noise * rng.normal(size=x.shape)) for _ in range(k)])
    return np.round(out * levels) / levels if levels else out


def direct(a, b, count, correlation=lambda x, y: spearmanr(x, y)[0]):
    """Score on one resample by writing it out: repeated rows, pairs of an image with itself dropped."""
    index = np.repeat(np.arange(len(a)), count)
    i, j = np.triu_indices(len(index), 1)
    i, j = index[i], index[j]
    return correlation(a[i, j][i != j], b[i, j][i != j])


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::scipy.stats.ConstantInputWarning")
@pytest.mark.parametrize("levels", [None, 6, 1])
@pytest.mark.parametrize("fraction", [0.9, 0.5, None])
@pytest.mark.parametrize("use_numba", [True, False])
def test_bootstrap_equals_scipy_on_each_resample(levels, fraction, use_numba):
    if use_numba:
        pytest.importorskip("numba")
    a, b = rdms(levels=levels, n=21)
    counts = stats.resamples(21, 40, fraction, seed=3)
    expected = [direct(a, b, count) for count in counts]  # NaN where a resample is constant: ours is, too
    np.testing.assert_allclose(ranking.scores([a], [b], counts, use_numba=use_numba)[:, 0, 0], expected, atol=1e-12)
    np.testing.assert_allclose(stats.bootstrap(a, b, 40, fraction, seed=3), expected, atol=1e-12)


def test_bootstrap_is_exact_for_hundreds_of_images():
    a, b = rdms(1, n=300)
    b = np.round(b, 3)  # ties
    for fraction in (0.9, None):
        counts = stats.resamples(300, 3, fraction, seed=1)
        expected = [direct(a, b, count) for count in counts]
        np.testing.assert_allclose(stats.bootstrap(a, b, 3, fraction, seed=1), expected, atol=1e-12)


def test_loops_compile_where_nothing_can_be_cached():
    """As in a read-only install without a home folder: numba finds nowhere to write."""
    pytest.importorskip("numba")
    from brainscore_granularity.stats.kernels import compiled

    space = {}
    exec("def double(x):\n    return 2 * x", space)  # source that no file holds
    assert compiled(space["double"])(21) == 42


def test_many_models_and_subjects_are_scored_on_the_same_resamples():
    a, b = rdms(2, k=3, levels=9), rdms(3, k=4)
    together = stats.bootstrap(a, b, 50, seed=5)
    assert together.shape == (50, 3, 4)
    for k in range(3):
        for s in range(4):
            np.testing.assert_allclose(together[:, k, s], stats.bootstrap(a[k], b[s], 50, seed=5), atol=1e-13)


def test_memory_limit_changes_nothing(monkeypatch):
    pytest.importorskip("numba")
    a, b = rdms(2, k=2), rdms(3, k=5)
    expected = stats.bootstrap(a, b, 40)
    monkeypatch.setattr(ranking, "TABLE_BYTES", 20_000)  # two subjects at a time
    np.testing.assert_array_equal(stats.bootstrap(a, b, 40), expected)


@pytest.mark.parametrize("method", ["pearson", "cosine"])
@pytest.mark.parametrize("fraction", [0.8, None])
def test_linear_bootstraps_are_exact(method, fraction):
    a, b = rdms(4, n=18)
    correlation = {
        "pearson": lambda x, y: np.corrcoef(x, y)[0, 1],
        "cosine": lambda x, y: x @ y / np.sqrt(x @ x * (y @ y)),
    }[method]
    counts = stats.resamples(18, 20, fraction, seed=2)
    expected = [direct(a, b, count, correlation) for count in counts]
    np.testing.assert_allclose(stats.bootstrap(a, b, 20, fraction, seed=2, method=method), expected, atol=1e-12)


def test_jackknife_leaves_one_out():
    a, b = rdms(5)
    keep = [np.delete(np.arange(15), k) for k in range(15)]
    expected = [rsa.compare(a[np.ix_(i, i)], b[np.ix_(i, i)]) for i in keep]
    np.testing.assert_allclose(stats.jackknife(a, b), expected, atol=1e-12)


def test_bootstrap_lies_around_the_score():
    a, b = rdms(6, n=60)
    score = rsa.compare(a, b)
    for fraction in (0.9, None):
        samples = stats.bootstrap(a, b, 1000, fraction)
        assert abs(samples.mean() - score) < 0.01
        assert samples.std() > 0.002
    np.testing.assert_array_equal(stats.bootstrap(a, b, 20, seed=1), stats.bootstrap(a, b, 20, seed=1))
    assert not np.array_equal(stats.bootstrap(a, b, 20, seed=1), stats.bootstrap(a, b, 20, seed=2))
    np.testing.assert_allclose(stats.bootstrap(a, b, 3, fraction=1.0), score, atol=1e-12)


def test_perfect_models_score_one_on_every_resample():
    a, _ = rdms(7, levels=7)
    np.testing.assert_allclose(stats.bootstrap(a, a, 30, fraction=None), 1, atol=1e-12)
    np.testing.assert_allclose(stats.bootstrap(a, -a, 30), -1, atol=1e-12)


def test_resamples_that_leave_a_constant_are_nan_with_a_warning():
    a, b = rdms(8, n=8)
    a = np.zeros_like(a)
    a[0, 1] = a[1, 0] = 1  # constant without image 0 or 1
    with pytest.warns(UserWarning, match="leave an RDM constant"):
        samples = stats.bootstrap(a, b, 60, fraction=0.75)
    kept = stats.resamples(8, 60, 0.75)[:, :2].all(axis=1)
    np.testing.assert_array_equal(np.isnan(samples), ~kept)


def test_constant_resamples_are_nan_for_hundreds_of_images_too():
    """Where sums of cubed ranks exceed what float64 holds exactly."""
    n = 700
    a, b = np.zeros((n, n)), rdms(8, n=n)[0]
    a[0, 1] = a[1, 0] = 1
    counts = np.ones((3, n), int)
    counts[0, 0] = counts[1, 2] = 0
    for use_numba in {False, ranking.have_numba()}:
        scores = ranking.scores([a], [b], counts, use_numba=use_numba)[:, 0, 0]
        assert np.isnan(scores[0]) and np.isfinite(scores[1:]).all()
        np.testing.assert_allclose(scores[1], direct(a, b, counts[1]), atol=1e-12)


def test_resamples_have_the_right_size():
    part, drawn = stats.resamples(50, 200, 0.9), stats.resamples(50, 200, None)
    assert set(part.ravel()) == {0, 1} and (part.sum(axis=1) == 45).all()
    assert (drawn.sum(axis=1) == 50).all() and drawn.max() > 2
    assert abs(part.mean(axis=0) - 0.9).max() < 0.1
    with pytest.raises(ValueError, match="keeps at least 3 of 50"):
        stats.resamples(50, 10, 0.01)


def test_permutation_p_by_brute_force():
    """The null scores are those of scipy on the shuffled RDM; p counts them with the unshuffled one."""
    a, b = rdms(9, n=9, levels=5)
    n, rng = 200, np.random.default_rng(4)
    orders = [rng.permutation(9) for _ in range(n)]
    null = [spearmanr(rsa.upper(a), rsa.upper(b[np.ix_(p, p)]))[0] for p in orders]
    layers, target = permutation.standardised(a)[None], permutation.standardised(b)
    for use_numba in (False, ranking.have_numba()):
        ours = permutation.null_scores(layers, target, n, 4, use_numba)[:, 0]
        np.testing.assert_allclose(ours, null, atol=1e-12)
    expected = (np.count_nonzero(np.array(null) >= rsa.compare(a, b) - 1e-12) + 1) / (n + 1)
    assert stats.permutation_test(a, b, n, seed=4) == expected


def test_permutation_p_is_never_zero_and_is_one_for_the_worst_score():
    a, _ = rdms(10, n=20)
    assert stats.permutation_test(a, a, n=999) == 1 / 1000
    assert stats.permutation_test(a, -a, n=999) == 1


def test_max_statistic_is_stricter_than_a_single_test():
    a, b = rdms(11, k=6, n=20, noise=3), rdms(12, k=2, n=20, noise=3)
    result = stats.max_statistic(a, b[0], n=500)
    singles = [stats.permutation_test(x, b[0], n=500) for x in a]
    np.testing.assert_allclose(result.scores, [rsa.compare(x, b[0]) for x in a], atol=1e-12)
    assert (result.p >= np.array(singles)).all() and result.p_best == result.p.min()
    assert result.best == result.scores.argmax()
    several = stats.max_statistic(a, b, n=50)
    np.testing.assert_allclose(several.scores, [np.mean([rsa.compare(x, y) for y in b]) for x in a], atol=1e-12)


def test_ceiling_agrees_with_rsatoolbox():
    noise_ceiling = pytest.importorskip("rsatoolbox.inference.noise_ceiling")
    rdm = pytest.importorskip("rsatoolbox.rdm")
    data = rdms(13, k=5)
    theirs = noise_ceiling.boot_noise_ceiling(
        rdm.RDMs(rsa.upper(data), rdm_descriptors={"index": np.arange(5)}), method="spearman"
    )
    np.testing.assert_allclose(stats.noise_ceiling(data, pool="rank"), theirs, atol=1e-10)


@pytest.mark.parametrize("method", ["spearman", "pearson", "kendall", "cosine"])
def test_ceiling_lower_is_below_upper(method):
    for seed in range(5):
        low, high = stats.noise_ceiling(rdms(seed, k=4, noise=2), method)
        assert low < high <= 1


def test_ceiling_of_perfect_subjects_is_one():
    a, _ = rdms(14)
    np.testing.assert_allclose(stats.noise_ceiling([a, a, a]), [1, 1], atol=1e-12)


def test_no_rdm_beats_the_pool_of_ranks():
    data = rdms(15, k=4, noise=2)
    high = stats.noise_ceiling(data, pool="rank").upper
    mean = np.mean([rankdata(rsa.upper(r)) for r in data], axis=0)
    rng = np.random.default_rng(0)
    for scale in (0.1, 1, 10):
        rival = np.zeros_like(data[0])
        rival[np.triu_indices(15, 1)] = mean + scale * rng.normal(size=len(mean))
        assert np.mean([rsa.compare(rival, r) for r in data]) < high


def test_two_subjects_carry_a_warning():
    with pytest.warns(stats.TwoSubjectsWarning, match="inflated"):
        stats.noise_ceiling(rdms(16))
    with pytest.raises(ValueError, match="at least 2 subjects"):
        stats.noise_ceiling(rdms(16)[:1])


def test_split_half_predicts_the_reliability_of_the_whole():
    """Spearman-Brown: the corrected half-split correlation is that of two full-size groups."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(40, 20))
    both = np.stack([rsa.rdm(truth + rng.normal(size=truth.shape)) for _ in range(24)])
    full = rsa.compare(both[:12].mean(axis=0), both[12:].mean(axis=0), "pearson")
    halves = [stats.split_half(group, "pearson") for group in (both[:12], both[12:])]
    assert np.mean(halves) == pytest.approx(full, abs=0.05)
    assert 0 < stats.split_half(both[:5]) < 1  # odd numbers too
    assert stats.spearman_brown(stats.spearman_brown(0.3, 4), 1 / 4) == pytest.approx(0.3)


def test_consistency_is_the_matrix_of_comparisons():
    data = rdms(17, k=3)
    matrix = stats.consistency(data)
    assert matrix[0, 2] == matrix[2, 0] == rsa.compare(data[0], data[2])
    np.testing.assert_array_equal(np.diag(matrix), 1)


def test_bca_agrees_with_scipy_for_a_mean():
    """The same formula, given the same samples, on a statistic scipy knows."""
    scipy_bootstrap = pytest.importorskip("scipy.stats").bootstrap
    x = np.random.default_rng(0).exponential(size=40)
    theirs = scipy_bootstrap((x,), np.mean, method="BCa", n_resamples=5000, random_state=1)
    left_out = (x.sum() - x) / 39
    samples = theirs.bootstrap_distribution
    ours = stats.interval(samples, method="bca", estimate=x.mean(), jackknife=left_out)
    np.testing.assert_allclose(ours, theirs.confidence_interval, atol=1e-3)


def test_subsample_interval_has_the_width_of_the_sampling_error():
    """For a mean, where the error is known: 1.96 standard errors to each side."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    samples = [x[rng.permutation(200)[:180]].mean() for _ in range(4000)]
    low, high = stats.interval(samples, method="subsample", estimate=x.mean(), fraction=0.9)
    assert (high - low) / 2 == pytest.approx(1.96 * x.std(ddof=1) / np.sqrt(200), rel=0.03)
    assert (low + high) / 2 == pytest.approx(x.mean(), abs=0.005)


def test_interval_refuses_what_it_cannot_use():
    for call, message in (
        (lambda: stats.interval([0.1, np.nan, np.nan]), "2 of 3 are NaN"),
        (lambda: stats.interval(np.ones((3, 2))), "one model and subject at a time"),
        (lambda: stats.interval([0.1, 0.2], method="bca"), "needs estimate and jackknife"),
        (lambda: stats.interval([0.1, 0.2], level=95), "between 0 and 1"),
        (lambda: stats.interval([0.1, 0.2], method="BCa"), "percentile, bca, subsample"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_comparison_of_models_is_antisymmetric_and_sees_the_better():
    data = rdms(18, k=7, n=30)
    better, worse, subjects = data[0], rdms(99, n=30)[0], data[1:]
    forth, back = (stats.compare_models(*pair, subjects, n=300) for pair in ((better, worse), (worse, better)))
    assert forth.value == pytest.approx(-back.value) and forth.p == pytest.approx(back.p)
    assert forth.value > 0 and forth.p < 0.01 and forth.low > 0
    same = stats.compare_models(better, better, subjects, n=50)
    assert same.value == 0 and same.p == 1
    value = np.mean([rsa.compare(better, s) - rsa.compare(worse, s) for s in subjects])
    assert forth.value == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("correction", ["pairs", "schuett"])
def test_two_factor_error_is_at_least_that_of_either_factor(correction):
    data = rdms(19, k=7, n=30)
    errors = {
        factor: stats.two_factor(data[0], data[1:], n=400, factor=factor, correction=correction).error
        for factor in ("stimuli", "subjects", "both")
    }
    assert errors["both"] >= max(errors["stimuli"], errors["subjects"]) - 1e-12
    assert errors["both"] ** 2 <= errors["stimuli"] ** 2 + errors["subjects"] ** 2 + 1e-12


def test_error_over_subjects_is_the_standard_error_of_the_mean():
    data = rdms(20, k=6)
    scores = [rsa.compare(data[0], s) for s in data[1:]]
    result = stats.two_factor(data[0], data[1:], factor="subjects")
    assert result.value == pytest.approx(np.mean(scores))
    assert result.error == pytest.approx(np.std(scores, ddof=1) / np.sqrt(5))


def test_unusable_rdms_are_refused():
    a, b = rdms(21)
    broken = a.copy()
    broken[2, 5] = np.inf
    for bad, message in (
        (broken, "RDM 0 has 1 NaN or infinite"),
        (np.ones_like(a), "constant"),
        (a[:9, :9], "9"),
        (a[0], "expected one RDM"),
    ):
        for function in (stats.bootstrap, stats.permutation_test, stats.jackknife):
            with pytest.raises(ValueError, match=message):
                function(a, bad)
    with pytest.raises(ValueError, match="spearman, pearson, cosine"):
        stats.bootstrap(a, b, method="kendall")
    assert module.METHODS == ("spearman", "pearson", "cosine")


def test_contrasts_of_groups_are_the_means_of_their_members_and_pairs_agree_with_the_comparison_of_two():
    data = rdms(21, k=7, n=30)
    models, subjects = data[:4], data[4:]
    weights = [[0.5, 0.5, -0.5, -0.5], [1, -1, 0, 0], [0, 0, 0, 1]]
    groups, pair, alone = stats.contrasts(models, weights, subjects, n=200, factor="both")
    each = [np.mean([rsa.compare(model, s) for s in subjects]) for model in models]
    assert groups.value == pytest.approx(np.dot(weights[0], each), abs=1e-12)
    assert pair == stats.compare_models(models[0], models[1], subjects, n=200)
    assert alone == stats.two_factor(models[3], subjects, n=200)
    with pytest.raises(ValueError, match=r"expected \(contrasts, 4\)"):
        stats.contrasts(models, [1, -1], subjects)
