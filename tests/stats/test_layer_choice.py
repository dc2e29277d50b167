"""A layer that is chosen and scored on the same images scores too well; one that is cross-validated does not."""

import numpy as np
import pytest

from brainscore_granularity import rsa, stats
from brainscore_granularity.stats import choice_error

IMAGES = 40


def unrelated(seed, layers=6):
    """RDMs of layers and of a subject that know nothing of each other."""
    rng = np.random.default_rng(seed)
    return np.stack([rsa.rdm(rng.normal(size=(IMAGES, 30))) for _ in range(layers)]), rsa.rdm(
        rng.normal(size=(IMAGES, 30))
    )


def related(seed, noise, images=IMAGES, model=1):
    """A scorer of layers that see what the subject sees, the more noise the less; each model has noise of its own."""
    truth, measured = np.random.default_rng(seed).normal(size=(2, images, 60))
    rng = np.random.default_rng([seed, model])
    layers = [rsa.rdm(truth + x * rng.normal(size=truth.shape)) for x in noise]
    return stats.rdm_scorer(np.stack(layers), rsa.rdm(truth + measured))


def test_the_value_is_what_comes_out_of_doing_it_by_hand():
    layers, subject = unrelated(0)
    subjects = np.stack([subject, rsa.rdm(np.random.default_rng(5).normal(size=(IMAGES, 20)))])
    found = stats.cross_validate(stats.rdm_scorer(layers, subjects), IMAGES, splits=10, pairs=10)

    def score(layer, half):
        part = np.ix_(half, half)
        return np.mean([rsa.compare(layer[part], one[part]) for one in subjects])

    for sides, value in zip(stats.halves(IMAGES, 10), found.held_out, strict=True):
        by_hand = []
        for choose, test in ((sides, ~sides), (~sides, sides)):
            best = max(layers, key=lambda layer, choose=choose: score(layer, np.flatnonzero(choose)))
            by_hand.append(score(best, np.flatnonzero(test)))
        assert value == pytest.approx(np.mean(by_hand), abs=1e-12)


def test_layers_of_noise_score_nothing_while_the_best_of_them_does():
    held, best = [], []
    for seed in range(60):
        scorer = stats.rdm_scorer(*unrelated(seed))
        held.append(stats.cross_validate(scorer, IMAGES, splits=20, pairs=2).value)
        best.append(scorer(np.ones((1, IMAGES), int)).max())
    error = np.std(held) / np.sqrt(len(held))
    assert abs(np.mean(held)) < 3 * error < 0.02
    assert np.mean(best) > 0.03 > 10 * abs(np.mean(held))


def test_one_layer_is_no_choice_and_scores_what_its_halves_score():
    scorer = related(0, [1.0])
    found = stats.cross_validate(scorer, IMAGES)
    assert found.value == pytest.approx(scorer(np.ones((1, IMAGES), int)).item(), abs=0.02)
    assert found.chosen.tolist() == [1.0]


@pytest.mark.parametrize("images", [12, 41, 80])
def test_halves_of_halves_share_no_image_and_leave_none_out(images):
    parts = choice_error.quarters(images, 6, 5)
    assert (parts.sum(axis=2) == 1).all() and set(parts.sum(axis=3).ravel()) <= {images // 4, -(-images // 4)}
    first = parts[:, :, :2].any(axis=2)
    assert (first == first[:, :1]).all()  # halved again in five ways, each half of a pair stays as it is
    assert len(np.unique(first[:, 0], axis=0)) == 6 and len(np.unique(parts[0, :, 0], axis=0)) == 5


@pytest.mark.parametrize("seed", range(3))
def test_the_error_of_a_mean_over_images_is_its_standard_error(seed):
    """One layer, whose score is a mean over images: sd / sqrt(n), and halves add nothing to it."""
    x = np.random.default_rng(seed).normal(size=IMAGES)
    found = stats.cross_validate(lambda counts: (counts @ x / counts.sum(axis=1))[:, None], IMAGES)
    assert found.value == pytest.approx(x.mean(), abs=1e-12)
    assert found.error == pytest.approx(x.std(ddof=1) / np.sqrt(IMAGES), rel=0.04)  # by 400 resamples
    assert np.ptp(found.held_out) == pytest.approx(0, abs=1e-12)


def test_halves_count_a_pair_twice_and_a_triplet_four_times():
    """Mean over many halves of the squared difference: S1 + S3 where the column to be reached is S1 - S2 + S3."""
    rng = np.random.default_rng(0)
    rows = np.stack([rng.permutation(24)[:3] for _ in range(300)])
    x = rng.normal(size=24)[rows].sum(axis=1) + 3 * rng.normal(size=300)
    overlaps = stats.Overlaps(rows, 24)
    sides = stats.halves(24, 40_000)
    inside = (sides[:, rows].all(axis=2), ~sides[:, rows].any(axis=2))
    residual = x - x.mean()
    apart = 8 * (inside[0] @ residual - inside[1] @ residual) / (2 * len(rows))  # an eighth of the triplets is inside
    one, two, three = (part @ part for part in overlaps.scaled(x))
    scale = 1 - overlaps.shared  # the sums are larger by what residuals lack
    # 24 images are drawn without replacement: an eighth is 11 choose 9 / 24 choose 12 = .109 of the triplets
    assert apart.var() == pytest.approx((one + three) * scale, rel=0.1)
    assert np.var(overlaps.of_pairs(x, 40_000)) == pytest.approx(two, rel=0.05)


def test_what_a_bootstrap_adds_to_a_jackknife_is_what_halves_count_too_often():
    """Entries of pairs, without effects of images: bootstrap three times, jackknife and halves twice, and so once."""
    rng = np.random.default_rng(1)
    upper = np.triu(rng.normal(size=(30, 30)), 1)

    def mean(counts):
        weight = np.einsum("ri,rj->rij", counts, counts) * np.triu(np.ones((30, 30)), 1)
        return ((weight * upper).sum(axis=(1, 2)) / weight.sum(axis=(1, 2)))[:, None]

    scorer = choice_error.OfPairs(mean, 30)
    mixture = scorer.mixture(np.ones(1))
    binomial = upper[np.triu_indices(30, 1)].var() / 435
    assert np.var(scorer.surplus(mixture, 400)) == pytest.approx(binomial, rel=0.2)
    jackknife = 29**2 / 30 * mixture[400:].var(ddof=1)
    assert np.var(mixture[:400]) == pytest.approx(jackknife + np.var(scorer.surplus(mixture, 400)), rel=0.1)


def test_a_known_difference_is_found_and_none_is_not_invented():
    near, far = related(0, [0.8, 0.9, 3], 60), related(0, [2.0, 2.2, 3], 60)
    found = stats.compare_choices(near, far, 60, splits=40)
    apart = [stats.cross_validate(scorer, 60, splits=40) for scorer in (near, far)]
    assert found.value == pytest.approx(apart[0].value - apart[1].value) and found.low > 0 and found.p < 0.05
    assert found.error < np.hypot(apart[0].error, apart[1].error)  # the same images: paired
    same = stats.compare_choices(near, near, 60, splits=40)
    assert same.value == 0 and same.error == 0 and same.p == 1


def test_values_that_scores_keep_are_paired_and_tell_the_error_of_a_difference():
    """From the two lines of each model alone, as the report has them: 1.96 of its errors are the interval."""
    near, far = related(3, [0.9, 1.0, 1.1, 2.0], 60), related(3, [0.95, 1.0, 1.2, 2.0], 60, model=2)
    lines = [np.stack([x.resampled, x.surplus]) for x in (stats.cross_validate(each, 60) for each in (near, far))]
    found = stats.compare_choices(near, far, 60)
    np.testing.assert_allclose(lines[0][0] - lines[1][0], found.resampled, atol=1e-12)
    reach = 1.96 * np.sqrt(stats.paired_variance(*lines))
    assert reach == pytest.approx((found.high - found.low) / 2, rel=0.2)


@pytest.mark.slow
def test_known_differences_are_covered():
    """The mean of 100 draws of both models is the truth; its interval holds it in 19 of 20."""
    noise = [0.9, 1.0, 1.0, 2.0], [1.3, 1.4, 1.4, 2.0]

    def models(seed):
        return [related(seed, own, model=k) for k, own in enumerate(noise)]

    found = [stats.compare_choices(*models(seed), IMAGES, splits=20) for seed in range(40)]
    apart = [[stats.cross_validate(x, IMAGES, 10, pairs=2).value for x in models(seed)] for seed in range(1000, 1100)]
    truth = -np.diff(apart).mean()
    assert truth > 0.05 and np.mean([x.low <= truth <= x.high for x in found]) >= 0.9


def test_units_are_halved_by_the_same_rule():
    """Scores of every layer by two halves of a subject's units: chosen by one, scored by the other."""
    rng = np.random.default_rng(0)
    truth, layers = rng.normal(size=(IMAGES, 60)), [rsa.rdm(rng.normal(size=(IMAGES, 60)))]
    layers.append(rsa.rdm(truth))
    halves = [rsa.rdm(truth[:, part] + rng.normal(size=(IMAGES, 30))) for part in (slice(0, 30), slice(30, 60))]
    scores = np.array([[rsa.compare(layer, half) for layer in layers] for half in halves])
    values, chosen = stats.held_out(scores, scores[::-1])
    assert chosen.tolist() == [1, 1] and values.tolist() == scores[::-1, 1].tolist()


@pytest.mark.parametrize(("images", "splits", "said"), [(5, 10, "at least 6"), (20, 1, "splits: expected at least 2")])
def test_what_cannot_be_halved_is_refused(images, splits, said):
    with pytest.raises(ValueError, match=said):
        stats.halves(images, splits)


def test_too_few_images_for_an_interval_are_refused():
    with pytest.raises(ValueError, match="images: expected at least 12.*got 11"):
        stats.cross_validate(lambda counts: np.ones((len(counts), 2)), 11)
    rows = np.stack([np.random.default_rng(k).permutation(40)[:3] for k in range(40)])
    with pytest.raises(ValueError, match="% of the quarters of the images have no score"):
        stats.cross_validate(stats.TripletScorer(np.ones((2, 40)), rows, 40), 40, splits=2)


@pytest.mark.slow
@pytest.mark.parametrize(("images", "n_choices"), [(60, 3000), (400, 1600)], ids=["dense", "sparse"])
def test_layers_are_chosen_by_triplets_within_a_half(images, n_choices):
    """Three layers that make people's choice at known rates: the best is chosen, and the error is that of its rate."""
    found = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        triplets = np.stack([rng.choice(images, 3, replace=False) for _ in range(n_choices)])
        correct = rng.random((3, n_choices)) < np.array([0.3, 0.8, 0.4])[:, None]
        found.append(stats.cross_validate(stats.TripletScorer(correct, triplets, images), images, splits=50))
    values, errors = (np.array([getattr(x, name) for x in found]) for name in ("value", "error"))
    assert min(x.chosen[1] for x in found) > 0.95
    assert values.mean() == pytest.approx(0.8, abs=0.01)
    assert np.sqrt((errors**2).mean()) / np.sqrt(0.8 * 0.2 / n_choices) == pytest.approx(1.1, abs=0.25)


def test_accuracies_of_a_part_are_those_of_its_triplets():
    rng = np.random.default_rng(0)
    triplets, correct = np.stack([rng.permutation(20)[:3] for _ in range(400)]), rng.random((2, 400))
    half = stats.halves(20, 2)[0]
    inside = half[triplets].all(axis=1)
    found = stats.TripletScorer(correct, triplets, 20)(np.stack([half, np.ones(20)]))
    np.testing.assert_allclose(found, [correct[:, inside].mean(axis=1), correct.mean(axis=1)], rtol=1e-6)
    with pytest.raises(ValueError, match="one column for each of 400 choices"):
        stats.TripletScorer(correct[:, 1:], triplets, 20)
