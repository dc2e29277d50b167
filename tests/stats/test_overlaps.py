"""Errors of means over triplets: against brute force, a bootstrap of images, and simulated truth."""

import itertools

import numpy as np
import pytest

from brainscore_granularity import stats
from brainscore_granularity.stats import overlaps


def drawn(rng, images, n):
    return np.stack([rng.permutation(images)[:3] for _ in range(n)])


def shares(rows):
    """(t, t) number of images that two triplets share."""
    return np.array([[len(set(one) & set(other)) for other in rows] for one in rows.tolist()])


@pytest.mark.parametrize(("images", "n"), [(12, 80), (40, 60), (300, 100)])
def test_variance_is_the_sum_over_pairs_of_triplets_that_share_an_image(images, n):
    rng = np.random.default_rng(images)
    rows = drawn(rng, images, n)
    rows[-1] = rows[0][::-1]  # judged twice
    effect = rng.normal(size=images)
    x = effect[rows].sum(axis=1) + rng.normal(size=n)
    design, meet = stats.Overlaps(rows, images), shares(rows)
    assert design.shared == pytest.approx((meet > 0).mean())
    residual = x - x.mean()
    brute = residual @ (meet > 0) @ residual / n**2 / (1 - (meet > 0).mean())
    assert design.variance(x) == pytest.approx(brute, rel=1e-10)


def test_a_bootstrap_of_images_counts_a_triplet_seven_times():
    """What it was before: weights are products of counts, so that sparse triplets got intervals 2.6 times too wide."""
    rng = np.random.default_rng(1)
    rows, n = drawn(rng, 1000, 800), 800
    x = (rng.random(n) < 0.6).astype(float)
    counts = stats.resamples(1000, 3000, None)
    weights = counts[:, rows].prod(axis=2)
    bootstrap = ((weights @ x) / weights.sum(axis=1)).var()
    binomial, design = 0.6 * 0.4 / n, stats.Overlaps(rows, 1000)
    by_all = sum(part @ part for part in design.scaled(x)) * (1 - design.shared)  # S1 + S2 + S3
    assert bootstrap == pytest.approx(by_all, rel=0.08) and bootstrap / binomial == pytest.approx(7, abs=0.7)
    assert stats.triplet_mean(x, rows, 1000).error ** 2 / binomial == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(("images", "n"), [(24, 500), (60, 300), (400, 300)])
def test_the_estimate_is_unbiased(images, n, monkeypatch):
    """Effects of images, pairs and single triplets, dense and sparse; without the least that is accepted."""
    monkeypatch.setattr(overlaps, "LEAST", 0)
    rng = np.random.default_rng(images)
    rows = drawn(rng, images, n)
    design = stats.Overlaps(rows, images)
    means, found = [], []
    for _ in range(1500):
        x = 0.2 * rng.normal(size=images)[rows].sum(axis=1) + rng.normal(size=n)
        x += 0.3 * rng.normal(size=len(design.pairs[0]))[design.pair_rows].sum(axis=0)
        means.append(x.mean()), found.append(design.variance(x))
    assert np.mean(found) == pytest.approx(np.var(means), rel=0.06)


def test_order_says_nothing():
    """Of the images in a triplet, of the triplets, and the numbering of the images."""
    rng = np.random.default_rng(2)
    rows, x = drawn(rng, 30, 200), rng.random(200)
    expected = stats.Overlaps(rows, 30).variance(x)
    within = np.take_along_axis(rows, np.stack([rng.permutation(3) for _ in rows]), axis=1)
    order, names = rng.permutation(200), rng.permutation(50)
    for other, values, images in ((within, x, 30), (rows[order], x[order], 30), (names[rows], x, 50)):
        assert stats.Overlaps(other, images).variance(values) == pytest.approx(expected, rel=1e-10)


def test_lines_that_scores_keep_are_linear_and_have_the_variance_of_the_difference():
    rng = np.random.default_rng(3)
    rows = drawn(rng, 60, 900)
    design, easy = stats.Overlaps(rows, 60), rng.normal(size=60)
    one, other = (0.1 * (easy + rng.normal(size=60))[rows].sum(axis=1) + rng.normal(size=900) for _ in range(2))
    kept = [np.stack(design.resampled(x, 20_000)) for x in (one, other)]
    difference = np.stack(design.resampled(one - other, 20_000))
    np.testing.assert_allclose(kept[0] - kept[1], difference, atol=1e-12)
    by_image, by_pair, _ = design.scaled(one - other)
    assert difference[0].var() == pytest.approx(by_image @ by_image, rel=0.02)
    assert difference[1].var() == pytest.approx(2 / 3 * by_pair @ by_pair, rel=0.02)
    assert stats.paired_variance(*kept) == pytest.approx(design.variance(one - other), rel=0.05)


def test_equal_models_differ_by_nothing_and_p_knows_chance():
    rows = drawn(np.random.default_rng(4), 100, 500)
    same = stats.triplet_mean(np.zeros(500), rows)
    assert same.value == same.error == 0 and same.p == 1
    right = np.random.default_rng(5).random(500) < 0.5
    assert stats.triplet_mean(right, rows, null=1 / 3).p < 1e-6 < 0.01 < stats.triplet_mean(right, rows, null=0.5).p


def test_unusable_triplets_say_what_is_expected():
    rows = drawn(np.random.default_rng(6), 20, 50)
    all_of_six = np.array(list(itertools.combinations(range(6), 3)))
    for call, message in (
        (lambda: stats.Overlaps(rows[:, :2], 20), r"expected integers \(t, 3\)"),
        (lambda: stats.Overlaps(rows, 10), "images from 0 to 9"),
        (lambda: stats.Overlaps(np.array([[0, 1, 1], [0, 1, 2]]), 20), "three different images"),
        (lambda: stats.Overlaps(all_of_six, 6), "6 images are too few"),
        (lambda: stats.triplet_mean(np.ones(49), rows, 20), "one for each of 50 triplets"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
