"""Which components of a network are shared by brains? Ridge regression from subjects; RSA with only some components."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from brainscore_granularity import rsa, stats
from brainscore_granularity.rsa.comparison import partial
from brainscore_granularity.rsa.components import Principal, eigh

from . import universality as u

MOST_UNIVERSAL = (1, 5, 10)
DRAWS = 20  # number of random sets of components


def coordinates(rdm) -> np.ndarray:
    """Patterns (n, k) behind a correlation-distance RDM, up to a rotation; each has mean 0 and length 1.

    1 - RDM is the matrix of inner products of such patterns, which is all that a ridge regression needs. Used for
    brains with published RDMs only. Negative eigenvalues, from rounding and averaging, are dropped.
    """
    values, vectors = eigh(np.ascontiguousarray(1 - np.asarray(rdm, np.float64)))
    good = values > values[-1] * 1e-9
    return vectors[:, good] * np.sqrt(values[good])


class BrainSimilarity(NamedTuple):
    """How well subjects predict components (t of them).

    r : (t,) held-out r, mean over subjects.
    adjusted : (t,) r divided by the square root of the mean correlation between the subjects' predictions, which is
        an estimate of r without noise in the subjects; NaN with one subject, or if the predictions do not
        correlate.
    permuted : (t,) r with the subjects' images shuffled.
    samples : (resamples, t) r on resamples of images.
    """

    r: np.ndarray
    adjusted: np.ndarray
    permuted: np.ndarray
    samples: np.ndarray


def brain_similarity(subjects, targets, resamples: int = 200, seed: int = 0) -> BrainSimilarity:
    """Predict targets (n, t) from each subject's responses, a list of (n, neuroids).

    Chen & Bonner's definition (2025): the same regression as for universality, with one subject's repetition-averaged
    responses as predictors.
    """
    shuffled = np.random.default_rng(seed).permutation(len(targets))
    found = [u.held_out(x, targets, seed=seed) for x in subjects]
    null = [u.held_out_r(np.asarray(x)[shuffled], targets, seed=seed) for x in subjects]
    samples = np.zeros((resamples, targets.shape[1]))
    for each in found:
        for some, r in u.resampled_r(each, targets, resamples, seed):
            samples[:, some] += r / len(found)
    r = np.mean([each.r for each in found], axis=0)
    agreement = np.full(targets.shape[1], np.nan)
    if len(found) > 1:
        pairs = [u.correlation(found[i].predictions, found[j].predictions)
                 for i in range(len(found)) for j in range(i)]  # fmt: skip
        agreement = np.mean(pairs, axis=0)
    with np.errstate(invalid="ignore"):
        adjusted = np.where(agreement > 0, r / np.sqrt(np.where(agreement > 0, agreement, 1)), np.nan)
    return BrainSimilarity(r, adjusted, np.mean(null, axis=0), samples)


def partial_spearman(a, b, control) -> float:
    """Partial rank correlation of a and b (t,), given a control."""
    from scipy.stats import rankdata

    ranks = [rankdata(each) for each in (a, b, control)]
    ab, ac, bc = (np.corrcoef(ranks[i], ranks[j])[0, 1] for i, j in ((0, 1), (0, 2), (1, 2)))
    return float(partial(ab, ac, bc))


def kept_components(principal: Principal, rows, universality, subjects, resamples: int = 1000, seed: int = 0):
    """RSA of features rebuilt from n components: the most universal, the largest, random ones, and all.

    Parameters
    ----------
    principal : principal components of a layer's spatial maxima.
    rows : rows of the images that the brains saw.
    universality : (k,) universality of the first k components.
    subjects : (subjects, n, n) RDMs.

    Yields
    ------
    One dict for each number of components n: kept, universal, low, high, largest, random (mean of several draws),
    all, difference (universal - largest) with its interval over images.
    """
    k, rng = len(universality), np.random.default_rng(seed)
    order = np.argsort(-np.asarray(universality), kind="stable")
    numbers = [n for n in MOST_UNIVERSAL if n < k]

    def rdm(keep):
        return rsa.rdm(principal.rebuilt(rows, np.asarray(keep)))

    everything = np.arange(len(principal.variances))
    rdms = [rdm(order[:n]) for n in numbers] + [rdm(np.arange(n)) for n in numbers] + [rdm(everything)]
    ranks = np.stack([rsa.standardised_ranks(each) for each in subjects])

    def score(each):
        return float((ranks @ rsa.standardised_ranks(each)).mean())

    samples = stats.bootstrap(np.stack(rdms), subjects, n=resamples, fraction=None, seed=seed).mean(axis=2)
    for i, n in enumerate(numbers):
        mine, largest = i, len(numbers) + i
        low, high = stats.interval(samples[:, mine])
        ends = stats.interval(samples[:, mine] - samples[:, largest])
        universal, by_variance = score(rdms[mine]), score(rdms[largest])
        yield {
            "kept": n, "universal": universal, "low": low, "high": high, "largest": by_variance,
            "random": np.mean([score(rdm(rng.choice(k, n, replace=False))) for _ in range(DRAWS)]),
            "all": score(rdms[-1]), "difference": universal - by_variance, "difference_low": ends.low,
            "difference_high": ends.high,
        }  # fmt: skip
