"""Choosing a layer and scoring it on the same images, without profit from the choice.

A *scorer* takes counts (resamples, images), how often each image stands in each resample, and gives the scores
(resamples, layers) of every layer there. :func:`rdm_scorer` makes one of RDMs, which are computed once and whose
entries are picked for every half; anything else that can be scored on a part of the images is cross-validated alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from .checks import stack
from .resampling import resamples, scores_on

VERSION = 1  # raised when the procedure gives other numbers
Scorer = Callable[[np.ndarray], np.ndarray]  # counts (resamples, images) -> (resamples, layers)
SPLITS, RESAMPLES, SPLITS_A_RESAMPLE = 200, 400, 4
LARGE, RESAMPLES_OF_LARGE, SPLITS_OF_LARGE = 1000, 100, 2  # so many images move a score little, and cost much


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
    resampled: np.ndarray  # (resamples,) values, the layer chosen anew in each; the same images for all models
    df: float  # degrees of freedom of the error


class _Draws(NamedTuple):
    """What an estimate is made of; two models' may be subtracted."""

    held_out: np.ndarray  # (splits,)
    resampled: np.ndarray  # (resamples, splits): the layer is chosen anew
    fixed: np.ndarray  # (resamples,) mixture of the layers as they were chosen, on the same resamples
    one_out: np.ndarray | None  # (images,) the mixture with one image left out
    kernel: float  # variance that a single entry's noise brings, see `noise`
    chosen: np.ndarray


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
    scorer: Scorer,
    images: int,
    splits: int = SPLITS,
    *,
    n: int | None = None,
    seed: int = 0,
    level: float = 0.95,
    entry_noise: Callable[[np.ndarray], float] | None = None,
) -> LayerChoice:
    """Mean held-out score of "the best layer of the other half", over random halves and both directions.

    With :math:`s_l(H)` the score of layer l on the images H, and H' those that are not in H,

    .. math:: \\mathrm{cv} = \\langle s_{l(H)}(H') \\rangle_H, \\qquad l(H) = \\arg\\max_l s_l(H).

    The interval is value +- t error for new images. Images are resampled with replacement and the layer is chosen
    anew in every resample, on halves of its *distinct* images, so that no image stands on both sides. What the few
    halves of a resample add is taken off by their spread. The bootstrap's surplus, which counts what is particular to
    a pair of images three times (see :func:`two_factor`), stays: taken off, the interval covered 92.2% of 1,000
    worlds. Of triplets, which it counts seven times, it is taken off, by bootstrap and jackknife of the mixture of the
    layers as they were chosen.

    Parameters
    ----------
    scorer : see `rdm_scorer`.
    images : how many.
    splits : random halves for the value; each counts in both directions.
    n : resamples of the images; default 400, and 100 from 1,000 images on.
    seed : the same seed, the same halves and resamples: two models' values are paired.
    entry_noise : for entries of three images (triplets): shares of the layers -> variance of the score by the noise of
        single entries, which bootstrap and jackknife together count -1 times.

    Examples
    --------
    >>> truth, *noise = np.random.default_rng(0).normal(size=(4, 40, 60))
    >>> layers = [np.corrcoef(truth + k * x) for k, x in enumerate(noise)]
    >>> result = cross_validate(rdm_scorer(layers, np.corrcoef(truth + noise[0])), 40, splits=20, n=50)
    >>> result.low < result.value < result.high, result.chosen.tolist()
    (True, [1.0, 0.0, 0.0])
    """
    return _estimate(_draws(scorer, images, splits, n, seed, entry_noise), images, level)


def compare_choices(
    first: Scorer,
    second: Scorer,
    images: int,
    splits: int = SPLITS,
    *,
    n: int | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> LayerChoice:
    """Difference between two models' cross-validated scores, on the same halves and resamples.

    Each model chooses its own layer anew in every half and resample, so that the test knows of both searches; they may
    differ in the number of layers.

    Examples
    --------
    >>> truth, *noise = np.random.default_rng(0).normal(size=(6, 40, 60))
    >>> subject, near, far = np.corrcoef(truth + noise[0]), noise[1:3], noise[3:5]
    >>> good = rdm_scorer([np.corrcoef(truth + x) for x in near], subject)
    >>> bad = rdm_scorer([np.corrcoef(truth + 3 * x) for x in far], subject)
    >>> compare_choices(good, bad, 40, splits=20, n=50).p < 0.05
    True
    """
    return contrast_choices([first, second], [[1, -1]], images, splits, n=n, seed=seed, level=level)[0]


def contrast_choices(
    scorers: Sequence[Scorer],
    weights,
    images: int,
    splits: int = SPLITS,
    *,
    n: int | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> list[LayerChoice]:
    """Weighted sums of several models' cross-validated scores, as `compare_choices` subtracts two.

    weights : (sums, models); as in `contrasts`.
    """
    weights = np.atleast_2d(np.asarray(weights, float))
    if weights.shape[1] != len(scorers):
        raise ValueError(f"weights: expected (sums, {len(scorers)}), one number a model, got {weights.shape}")
    drawn = [_draws(scorer, images, splits, n, seed, None) for scorer in scorers]
    return [_estimate(_summed(drawn, row), images, level) for row in weights]


def _summed(drawn: list[_Draws], weights: np.ndarray) -> _Draws:
    parts = {
        name: sum(w * getattr(one, name) for w, one in zip(weights, drawn, strict=True))
        for name in ("held_out", "resampled", "fixed")
    }
    return drawn[int(np.flatnonzero(weights)[0])]._replace(**parts)


def _draws(scorer: Scorer, images: int, splits: int, n: int | None, seed: int, entry_noise) -> _Draws:
    """Values on halves and resamples; everything is scored in one call, so that RDMs are sorted once."""
    each = SPLITS_OF_LARGE if images >= LARGE else SPLITS_A_RESAMPLE
    counts = resamples(images, n or (RESAMPLES_OF_LARGE if images >= LARGE else RESAMPLES), None, seed)
    sides, ones = halves(images, splits, seed), np.ones((splits, images), np.int32)
    again, repeated = _halves_of_distinct(counts, each, seed), np.repeat(counts, each, axis=0)
    asked = [ones * sides, ones * ~sides, repeated * again, repeated * ~again]
    asked += [] if entry_noise is None else [counts, 1 - np.eye(images, dtype=np.int32)]
    scores = np.split(scorer(np.concatenate(asked)), np.cumsum([len(part) for part in asked[:-1]]))
    value, best = _both_ways(*scores[:2])
    drawn = _both_ways(*scores[2:4])[0].reshape(len(counts), each)
    chosen = np.bincount(best.ravel(), minlength=scores[0].shape[1]) / best.size
    if entry_noise is None:
        return _Draws(value, drawn, np.zeros(1), None, 0.0, chosen)
    used = chosen > 0
    fixed, one_out = (part[:, used] @ chosen[used] for part in scores[4:])
    return _Draws(value, drawn, fixed, one_out, entry_noise(chosen), chosen)


def _both_ways(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Held-out scores (resamples,), means of both directions, and the layers chosen (2, resamples).

    one, other : (resamples, layers) scores on the two halves.
    """
    scores = np.stack([one, other])
    found, best = held_out(scores, scores[::-1])
    return found.mean(axis=0), best


def _halves_of_distinct(counts: np.ndarray, each: int, seed: int) -> np.ndarray:
    """(resamples x each, images) bool: half of the images that are in a resample, whatever their counts."""
    rng, out = np.random.default_rng([seed, 3]), np.zeros((len(counts), each, counts.shape[1]), bool)
    for sides, row in zip(out, counts, strict=True):
        there = np.flatnonzero(row)
        for side in sides:
            side[rng.permutation(there)[: len(there) // 2]] = True
    return out.reshape(-1, counts.shape[1])


def _estimate(drawn: _Draws, images: int, level: float) -> LayerChoice:
    value = float(drawn.held_out.mean())
    fine = drawn.resampled[np.isfinite(drawn.resampled).all(axis=1)]
    if len(fine) < 0.9 * len(drawn.resampled):
        raise ValueError(
            f"{len(drawn.resampled) - len(fine)} of {len(drawn.resampled)} resamples have halves without a score: "
            f"{images} images are too few"
        )
    within = fine.var(axis=1, ddof=1).mean() / fine.shape[1]  # what other halves of the same images would change
    naive = max(fine.mean(axis=1).var(ddof=1) - within, 0.0)
    variance = naive
    if drawn.one_out is not None:
        fixed = drawn.fixed[np.isfinite(drawn.fixed)].var(ddof=1)
        jackknife = (images - 1) ** 2 / images * drawn.one_out.var(ddof=1)
        once = max(2 * jackknife - fixed + 2 * drawn.kernel, fixed / 7)
        variance = max(naive - max(fixed - once, 0.0), once)
    variance += drawn.held_out.var(ddof=1) / len(drawn.held_out)
    error = float(np.sqrt(variance))
    reach = float(student.ppf((1 + level) / 2, images - 1)) * error
    p = 1.0 if value == 0 else float(2 * student.sf(abs(value) / error, images - 1)) if error > 0 else 0.0
    resampled = drawn.resampled.mean(axis=1)
    interval = value - reach, value + reach
    return LayerChoice(value, error, *interval, p, drawn.chosen, drawn.held_out, resampled, images - 1.0)
