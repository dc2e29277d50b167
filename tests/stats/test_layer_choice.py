"""A layer that is chosen and scored on the same images scores too well; one that is cross-validated does not."""

import numpy as np
import pytest

from brainscore_granularity import rsa, stats

IMAGES = 40


def unrelated(seed, layers=6):
    """RDMs of layers and of a subject that know nothing of each other."""
    rng = np.random.default_rng(seed)
    return np.stack([rsa.rdm(rng.normal(size=(IMAGES, 30))) for _ in range(layers)]), rsa.rdm(
        rng.normal(size=(IMAGES, 30))
    )


def related(seed, noise, images=IMAGES):
    """A scorer of layers that see what the subject sees, the more noise the less."""
    truth, measured = np.random.default_rng(seed).normal(size=(2, images, 60))
    rng = np.random.default_rng([seed, 1])
    layers = [rsa.rdm(truth + x * rng.normal(size=truth.shape)) for x in noise]
    return stats.rdm_scorer(np.stack(layers), rsa.rdm(truth + measured))


def test_the_value_is_what_comes_out_of_doing_it_by_hand():
    layers, subject = unrelated(0)
    subjects = np.stack([subject, rsa.rdm(np.random.default_rng(5).normal(size=(IMAGES, 20)))])
    found = stats.cross_validate(stats.rdm_scorer(layers, subjects), IMAGES, splits=10, n=10)

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
        held.append(stats.cross_validate(scorer, IMAGES, splits=20, n=2).value)
        best.append(scorer(np.ones((1, IMAGES), int)).max())
    error = np.std(held) / np.sqrt(len(held))
    assert abs(np.mean(held)) < 3 * error < 0.02
    assert np.mean(best) > 0.03 > 10 * abs(np.mean(held))


def test_one_layer_is_no_choice_and_scores_what_its_halves_score():
    scorer = related(0, [1.0])
    found = stats.cross_validate(scorer, IMAGES, n=100)
    assert found.value == pytest.approx(scorer(np.ones((1, IMAGES), int)).item(), abs=0.02)
    assert found.chosen.tolist() == [1.0]


def test_a_copy_of_an_image_never_stands_on_both_sides():
    """Scores on halves that share an image would be too good: no resample may have one."""
    seen = []

    def scorer(counts):
        seen.append(counts)
        return np.random.default_rng(0).normal(size=(len(counts), 2))

    stats.cross_validate(scorer, IMAGES, splits=5, n=20)
    one, other = np.split(seen[0][10:170], 2)  # after the two halves of five splits: 20 resamples, four splits each
    assert (one * other == 0).all() and (one.max() > 1) and ((one > 0).sum(1) >= 10).all()
    drawn = stats.resamples(IMAGES, 20, None, 0)
    assert np.array_equal((one + other).reshape(20, -1, IMAGES)[:, 0], drawn)


def test_a_known_difference_is_found_and_none_is_not_invented():
    near, far = related(0, [0.8, 0.9, 3], 60), related(0, [2.0, 2.2, 3], 60)
    found = stats.compare_choices(near, far, 60, splits=40, n=200)
    apart = [stats.cross_validate(scorer, 60, splits=40, n=200) for scorer in (near, far)]
    assert found.value == pytest.approx(apart[0].value - apart[1].value) and found.low > 0 and found.p < 0.05
    assert found.error < np.hypot(apart[0].error, apart[1].error)  # the same images: paired
    same = stats.compare_choices(near, near, 60, splits=40, n=50)
    assert same.value == 0 and same.p == 1


@pytest.mark.slow
def test_known_differences_are_covered():
    """The mean of 300 draws of both models is the truth; its interval holds it in 19 of 20."""
    noise = [0.9, 1.0, 1.0, 2.0], [1.3, 1.4, 1.4, 2.0]
    found = [stats.compare_choices(*(related(s, x) for x in noise), IMAGES, splits=20, n=100) for s in range(60)]
    truth = np.mean(
        [
            np.subtract(*(stats.cross_validate(related(s, x), IMAGES, splits=10, n=2).value for x in noise))
            for s in range(1000, 1300)
        ]
    )
    assert np.mean([x.low <= truth <= x.high for x in found]) >= 0.85


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


@pytest.mark.parametrize(
    ("images", "n_choices", "widest"),
    [(60, 3000, 1.8), (400, 800, 2.6)],  # of 800 choices among 400 images, halves keep 200
    ids=["dense", "sparse"],
)
def test_layers_are_chosen_by_triplets_within_a_half(images, n_choices, widest):
    """Three layers that make people's choice at known rates: the best is chosen; the error is known, and not hidden."""
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        triplets = np.stack([rng.choice(images, 3, replace=False) for _ in range(n_choices)])
        correct = rng.random((3, n_choices)) < np.array([0.4, 0.8, 0.5])[:, None]
        scorer, noise = stats.triplet_scorer(correct, triplets)
        found.append(stats.cross_validate(scorer, images, splits=20, n=60, entry_noise=noise))
    values, errors = (np.array([getattr(x, name) for x in found]) for name in ("value", "error"))
    assert min(x.chosen[1] for x in found) > 0.9
    assert values.mean() == pytest.approx(0.8, abs=0.01)
    assert 0.9 < np.sqrt((errors**2).mean()) / np.sqrt(0.8 * 0.2 / n_choices) < widest
