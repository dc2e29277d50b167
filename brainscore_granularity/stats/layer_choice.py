"""Choosing a layer and scoring it on the same images, without profit from the choice.

A *scorer* takes counts (resamples, images), how often each image stands in each resample, and gives the scores
(resamples, layers) of every layer there. :func:`rdm_scorer` makes one of RDMs, which are computed once and whose
entries are picked for every half; :class:`TripletScorer` makes one of odd-one-out choices. Where the interval comes
from: ``choice_error``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from . import choice_error
from .checks import stack
from .estimates import with_student
from .resampling import scores_on

VERSION = 2  # raised when the procedure gives other numbers
Scorer = Callable[[np.ndarray], np.ndarray]  # counts (resamples, images) -> (resamples, layers)
SPLITS = 200
PAIRS = 100  # random halves A and B of the images, for the interval
LEAST_IMAGES = 12  # three for each half of A and of B


class LayerChoice(NamedTuple):
    """The score of "take the best layer of one half, score it on the other", or a difference of two of them.

    The interval holds for other images and holds the choice; p is two-sided, against 0.
    """

    value: float
    error: float
    low: float
    high: float
    p: float
    chosen: np.ndarray  # (layers,) share of the choices; of a difference: of the first
    held_out: np.ndarray  # (splits,) means of both directions
    resampled: np.ndarray  # (pairs,) values from halves of the images, the layer chosen anew in each
    surplus: np.ndarray  # (pairs,) its variance is subtracted from that of ``resampled``: :func:`paired_variance`
    df: float  # degrees of freedom of the interval


def halves(images: int, splits: int = SPLITS, seed: int = 0) -> np.ndarray:
    """Random halves of the images; the other half is the rest. Of an odd number, the rest has one more.

    Returns
    -------
    (splits, images) bool

    Examples
    --------
    >>> halves(7, 3).sum(axis=1).tolist()
    [3, 3, 3]
    """
    if images < 6:
        raise ValueError(f"images: expected at least 6, three for each half, got {images}")
    if splits < 2:
        raise ValueError(f"splits: expected at least 2, got {splits}")
    rng = np.random.default_rng([seed, 2])
    return rng.permuted(np.tile(np.arange(images) < images // 2, (splits, 1)), axis=1)


def held_out(choose, score) -> tuple[np.ndarray, np.ndarray]:
    """Score, on one part of the data, of the layer that is best on another.

    Parameters
    ----------
    choose, score : (..., layers)
        Scores of every layer where the layer is chosen, and where it is scored: halves of images, units, sessions or
        concepts. NaN: not defined there, and never chosen.

    Returns
    -------
    scores (...), chosen layers (...)

    Examples
    --------
    >>> scores, layers = held_out([[0.3, 0.1]], [[0.1, 0.4]])
    >>> scores.tolist(), layers.tolist()
    ([0.1], [0])
    """
    choose, score = np.asarray(choose, float), np.asarray(score, float)
    if choose.shape != score.shape:
        raise ValueError(
            f"choose, score: expected the same layers of the same splits, got {choose.shape}, {score.shape}"
        )
    best = np.where(np.isnan(choose), -np.inf, choose).argmax(axis=-1)
    return np.take_along_axis(score, best[..., None], axis=-1)[..., 0], best


def rdm_scorer(layers, subjects) -> Scorer:
    """Scorer of RDMs: exact Spearman correlation on the chosen images, mean over subjects.

    Parameters
    ----------
    layers : (layers, n, n)
    subjects : (n, n) or (subjects, n, n)
    """
    layers = stack(layers, "layers")
    subjects = stack(subjects, "subjects", layers.shape[1])
    return lambda counts: scores_on(layers, subjects, counts).mean(axis=2)


def cross_validate(
    scorer: Scorer, images: int, splits: int = SPLITS, *, pairs: int = PAIRS, seed: int = 0, level: float = 0.95
) -> LayerChoice:
    """Mean held-out score of "the best layer of the other half", over random halves and both directions.

    With :math:`s_l(H)` the score of layer l on the images H, and H' those that are not in H,

    .. math:: \\mathrm{cv} = \\langle s_{l(H)}(H') \\rangle_H, \\qquad l(H) = \\arg\\max_l s_l(H).

    The interval is value +- t error for new images, the layer chosen anew. The whole procedure is run on random halves
    of the images, and the difference between two that share no image says how far the score moves (``choice_error``).
    The degrees of freedom of t are those of :func:`freedom`.

    Parameters
    ----------
    scorer : see `rdm_scorer`, `TripletScorer`.
    images : how many, at least 12.
    splits : random halves for the value; each counts in both directions.
    pairs : pairs of halves for the interval.
    seed : the same seed, the same halves: two models' values are paired.

    Examples
    --------
    >>> truth, *noise = np.random.default_rng(0).normal(size=(4, 40, 60))
    >>> layers = [np.corrcoef(truth + k * x) for k, x in enumerate(noise)]
    >>> result = cross_validate(rdm_scorer(layers, np.corrcoef(truth + noise[0])), 40, splits=20, pairs=20)
    >>> result.low < result.value < result.high, result.chosen.tolist()
    (True, [1.0, 0.0, 0.0])
    """
    scorer = _complete(scorer, images)
    return estimated(drawn(scorer, images, splits, pairs, seed), scorer, images, level)


def compare_choices(
    first: Scorer,
    second: Scorer,
    images: int,
    splits: int = SPLITS,
    *,
    pairs: int = PAIRS,
    seed: int = 0,
    level: float = 0.95,
) -> LayerChoice:
    """Difference between two models' cross-validated scores, on the same halves.

    Each model chooses its own layer anew in every half, so that the test knows of both searches; they may differ in
    the number of layers.

    Examples
    --------
    >>> truth, *noise = np.random.default_rng(0).normal(size=(6, 40, 60))
    >>> subject, near, far = np.corrcoef(truth + noise[0]), noise[1:3], noise[3:5]
    >>> good = rdm_scorer([np.corrcoef(truth + x) for x in near], subject)
    >>> bad = rdm_scorer([np.corrcoef(truth + 3 * x) for x in far], subject)
    >>> compare_choices(good, bad, 40, splits=20, pairs=20).p < 0.05
    True
    """
    return contrast_choices([first, second], [[1, -1]], images, splits, pairs=pairs, seed=seed, level=level)[0]


def contrast_choices(
    scorers: Sequence[Scorer],
    weights,
    images: int,
    splits: int = SPLITS,
    *,
    pairs: int = PAIRS,
    seed: int = 0,
    level: float = 0.95,
) -> list[LayerChoice]:
    """Weighted sums of several models' cross-validated scores, as `compare_choices` subtracts two.

    weights : (sums, models), as in `contrasts`.
    """
    return choices(scorers, images, splits, pairs=pairs, seed=seed).sums(weights, level)


class Choices(NamedTuple):
    """What several models' cross-validated scores, and any weighted sums of them, are made of."""

    draws: list[choice_error.Draws]  # one a model
    scorer: Any  # of the first: what it knows of errors, all of the same images know
    images: int

    def sums(self, weights, level: float = 0.95) -> list[LayerChoice]:
        """Weighted sums; weights : (sums, models)."""
        weights = np.atleast_2d(np.asarray(weights, float))
        if weights.shape[1] != len(self.draws):
            raise ValueError(f"weights: expected (sums, {len(self.draws)}), one number a model, got {weights.shape}")
        summed = [choice_error.summed(self.draws, row) for row in weights]
        return [estimated(each, self.scorer, self.images, level) for each in summed]


def choices(
    scorers: Sequence[Scorer], images: int, splits: int = SPLITS, *, pairs: int = PAIRS, seed: int = 0
) -> Choices:
    """Draw for several models once, for `contrast_choices` of more than one kind."""
    complete = [_complete(scorer, images) for scorer in scorers]
    return Choices([drawn(scorer, images, splits, pairs, seed) for scorer in complete], complete[0], images)


def drawn(scorer, images: int, splits: int, pairs: int = PAIRS, seed: int = 0) -> choice_error.Draws:
    """Scores on halves of all images, and on halves of halves; all in one call, so that RDMs are sorted once."""
    if images < LEAST_IMAGES:
        raise ValueError(
            f"images: expected at least {LEAST_IMAGES}, since layers are chosen on quarters of them for the interval, "
            f"got {images}"
        )
    each = scorer.halves
    sides, parts = halves(images, splits, seed), choice_error.quarters(images, pairs, each, seed)
    first = parts[:, 0, :2].any(axis=1)
    asked = [sides, ~sides, parts.reshape(-1, images), first, ~first]
    scores = np.split(scorer(np.concatenate(asked).astype(np.int32)), np.cumsum([len(part) for part in asked[:-1]]))
    value, best = _both_ways(*scores[:2])
    layers = scores[0].shape[1]
    chosen = np.bincount(best.ravel(), minlength=layers) / best.size
    of_parts = scores[2].reshape(pairs, each, 4, layers)
    one, other = (_both_ways(of_parts[:, :, k], of_parts[:, :, k + 1])[0] for k in (0, 2))
    used = chosen > 0
    of_mixture = (scores[3] - scores[4])[:, used] @ chosen[used] / 2
    return choice_error.Draws(value, (one - other) / 2, of_mixture, scorer.mixture(chosen), chosen)


def estimated(found: choice_error.Draws, scorer, images: int, level: float = 0.95) -> LayerChoice:
    """The score with its interval, from what was drawn."""
    missing = np.isnan(found.apart)
    if missing.mean() > 0.1 or missing.all(axis=1).any() or np.isnan(found.held_out).any():
        raise ValueError(
            f"{missing.mean():.0%} of the quarters of the images have no score: there are too few images, or "
            "choices among them"
        )
    apart = np.where(missing, np.nanmean(found.apart, axis=1, keepdims=True), found.apart)
    splits = found.held_out.var(ddof=1) / len(found.held_out)
    variance = choice_error.variance(apart, found.of_mixture, scorer.variance(found.mixture)) + splits
    value = float(found.held_out.mean())
    df = freedom(images)
    wider = student.ppf(0.975, df) / norm.ppf(0.975)  # so that 1.96 errors of a difference are those of t
    resampled = value + wider * apart.mean(axis=1)
    surplus = wider * (choice_error.within_halves(apart) + scorer.surplus(found.mixture, len(apart)))
    one = with_student(value, variance, df, level)
    return LayerChoice(*one[:5], found.chosen, found.held_out, resampled, surplus, one.df)


def freedom(images: int) -> float:
    """Degrees of freedom of t: how well the error is known.

    Over simulated worlds its square varied as the variance of a third of as many numbers as there are images, or more.
    100 pairs of halves do not tell it better than 40 numbers would.

    >>> freedom(60), freedom(1000)
    (20.0, 40.0)
    """
    return min(images / 3, 40.0)


def _complete(scorer: Scorer, images: int):
    """A scorer that knows the variance of a mixture of layers; a mere function is taken to score pairs of images."""
    return scorer if hasattr(scorer, "mixture") else choice_error.OfPairs(scorer, images)


def _both_ways(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Held-out scores (...), means of both directions, and the layers chosen (2, ...).

    one, other : (..., layers) scores on the two halves.
    """
    scores = np.stack([one, other])
    found, best = held_out(scores, scores[::-1])
    return found.mean(axis=0), best
