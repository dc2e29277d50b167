"""Odd-one-out choices: ties, NaN and position."""

import numpy as np
import pytest

from brainscore_granularity import rsa
from brainscore_granularity.rsa import spool as streaming
from brainscore_granularity.rsa import triplets


def brute_force(similarity, triplet):
    """Probabilities by the definition, one triplet at a time."""
    i, j, k = triplet
    pairs = [similarity[j, k], similarity[i, k], similarity[i, j]]
    best = [p == max(pairs) for p in pairs]
    return [b / sum(best) for b in best]


def world(seed=0, n=12, t=300, levels=4):
    rng = np.random.default_rng(seed)
    similarity = rng.integers(0, levels, size=(n, n)).astype(float)
    similarity += similarity.T
    return similarity, np.stack([rng.permutation(n)[:3] for _ in range(t)]), rng.integers(0, 3, size=t)


def test_choices_and_accuracy_by_brute_force_with_ties():
    similarity, trials, odd = world()
    expected = np.array([brute_force(similarity, t) for t in trials])
    assert set(np.unique(expected)) == {0, 1 / 3, 1 / 2, 1}
    np.testing.assert_allclose(triplets.choice_probabilities(similarity, trials), expected)
    assert triplets.accuracy(similarity, trials, odd) == pytest.approx(expected[np.arange(300), odd].mean(), abs=1e-12)
    for position in range(3):
        assert triplets.accuracy(similarity, trials, position) == pytest.approx(expected[:, position].mean(), abs=1e-12)


@pytest.mark.parametrize("measure", triplets.MEASURES)
@pytest.mark.parametrize(
    ("features", "what"),
    [
        (np.full((9, 7), 0.0), "9 of 9 images have constant features in layer 'fc6': image 0 (a)"),
        (np.full((9, 7), 0.1), "9 of 9 images have constant features in layer 'fc6': image 0 (a)"),
        (np.arange(9.0)[:, None], "9 of 9 images have constant features in layer 'fc6': image 0 (a)"),
        (np.tile(np.random.default_rng(0).normal(size=7), (9, 1)), "all 9 images have the same features in layer"),
        (np.zeros((9, 0)), "at least 2 images and 1 feature, got (9, 0) in layer 'fc6'"),
        (np.zeros((9, 4, 0)), "at least 2 images and 1 feature, got (9, 4, 0) in layer 'fc6'"),
        (np.ones(9), "at least 2 images and 1 feature, got (9,) in layer 'fc6'"),
    ],
)
def test_features_that_tell_nothing_are_refused_as_by_rsa(measure, features, what):
    """Constant, one feature (such as the place in the list), all images alike, none: the same error, word for word."""
    said = []
    for refuse in (
        lambda **names: triplets.similarity(features, measure, **names),
        lambda **names: rsa.rdm(features, **names),
    ):
        with pytest.raises(rsa.DegenerateFeatures) as error:
            refuse(images="abcdefghi", layer="fc6")
        said.append(str(error.value))
        assert what in said[-1]
    assert said[0].partition(". ")[0] == said[1].partition(". ")[0]


@pytest.mark.parametrize("measure", triplets.MEASURES)
def test_features_on_disk_are_refused_and_compared_alike(measure, tmp_path):
    x = np.random.default_rng(0).normal(size=(9, 5000)).astype(np.float32)
    dead = np.where(np.arange(9)[:, None] == 4, 0.1, x)
    for features, what in ((dead, "constant features"), (x * 0 + x[0], "same features"), (x * np.nan, "NaN")):
        with streaming.Spool(tmp_path / "layer") as spool, pytest.raises(rsa.DegenerateFeatures, match=what):
            spool.write(0, features)
            triplets.from_gram(spool.gram("rows" if measure == "centred" else None), measure)
    with streaming.Spool(tmp_path / "layer") as spool:
        spool.write(0, x)
        found = triplets.from_gram(spool.gram("rows" if measure == "centred" else None), measure)
    np.testing.assert_allclose(found, triplets.similarity(x, measure), atol=1e-9)


def test_no_position_is_favoured():
    """Shuffling images within triplets, and the odd position with them, changes nothing."""
    similarity, trials, odd = world(1)
    rng = np.random.default_rng(2)
    order = np.stack([rng.permutation(3) for _ in trials])
    moved = np.take_along_axis(trials, order, axis=1)
    where = (order == odd[:, None]).argmax(axis=1)
    assert triplets.accuracy(similarity, moved, where) == pytest.approx(triplets.accuracy(similarity, trials, odd))


def test_nan_is_an_error():
    similarity, trials, odd = world()
    similarity[trials[0, 0], trials[0, 1]] = similarity[trials[0, 1], trials[0, 0]] = np.nan
    with pytest.raises(ValueError, match="triplets meet NaN"):
        triplets.accuracy(similarity, trials, odd)
    with pytest.raises(ValueError, match="1 of 2 images have NaN"):
        triplets.similarity([[1.0, 2.0], [np.nan, 1.0]])


def test_similarity_agrees_with_definitions():
    x = np.random.default_rng(0).normal(size=(6, 3, 5)) + 1
    flat = x.reshape(6, -1)
    np.testing.assert_allclose(triplets.similarity(x), flat @ flat.T)
    norm = np.linalg.norm(flat, axis=1)
    np.testing.assert_allclose(triplets.similarity(x, "cosine"), flat @ flat.T / np.outer(norm, norm))
    np.testing.assert_allclose(triplets.similarity(x, "centred"), np.corrcoef(flat), atol=1e-12)


def test_a_dead_image_is_named():
    with pytest.raises(rsa.DegenerateFeatures, match="1 of 3 images have constant features: image 2"):
        triplets.similarity([[1.0, 2.0, 0.0], [1.0, 2.1, 0.0], [0.0, 0.0, 0.0]], "cosine")


def test_unusable_input_says_what_is_expected():
    similarity, trials, _ = world()
    for call, message in (
        (lambda: triplets.accuracy(similarity, trials, 3), "positions 0, 1 or 2"),
        (lambda: triplets.accuracy(similarity, trials + 100, 0), "indices from 0 to 11"),
        (lambda: triplets.accuracy(similarity, trials.astype(float), 0), "expected integers"),
        (lambda: triplets.accuracy(similarity[:3], trials, 0), r"expected \(n, n\)"),
        (lambda: triplets.similarity([[1.0]], "euclid"), "dot, cosine, centred"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
