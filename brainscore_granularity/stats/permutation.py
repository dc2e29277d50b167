"""Tests that break the pairing of the stimuli."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from brainscore_granularity import rsa
from brainscore_granularity.threads import cores, in_threads

from .checks import stack
from .ranking import have_numba


class MaxStatistic(NamedTuple):
    """Scores of several RDMs and their p values, corrected for the search among them."""

    scores: np.ndarray  # (layers,)
    p: np.ndarray  # (layers,) corrected
    best: int
    p_best: float


def permutation_test(a, b, n: int = 10_000, seed: int = 0) -> float:
    """Probability, if the stimuli of b were shuffled, of a Spearman correlation as high as the one seen.

    Rows and columns of b are permuted together (Mantel 1967), because the entries of an RDM are not
    independent; the images are.

    .. math:: p = (k + 1) / (n + 1), \\quad k = \\#\\{\\text{permutations that score at least as high}\\}.

    Parameters
    ----------
    a : (n, n)
        RDM.
    b : (n, n) or (subjects, n, n)
        RDM; with several subjects, the statistic is their mean score.
    n : int
        Number of permutations.
    seed : int

    Returns
    -------
    float
        One-sided p value; never 0 (Phipson & Smyth 2010).

    Examples
    --------
    >>> import numpy as np
    >>> a = np.corrcoef(np.random.default_rng(0).normal(size=(20, 30)))
    >>> permutation_test(a, a, n=99)
    0.01
    """
    if np.ndim(a) != 2:
        raise ValueError(f"a: expected one RDM (n, n), got {np.shape(a)}; for several, use max_statistic")
    return max_statistic([a], b, n, seed).p_best


def max_statistic(a, b, n: int = 10_000, seed: int = 0) -> MaxStatistic:
    """Permutation test for "the best of these layers scores above chance".

    Every permutation is scored on all layers and keeps its best, so that searching more layers raises the
    bar (Nichols & Holmes 2002):

    .. math:: p_l = (\\#\\{\\max_{l'} \\rho^*_{l'} \\ge \\rho_l\\} + 1) / (n + 1).

    Parameters
    ----------
    a : (layers, n, n)
        RDMs that were searched.
    b : (n, n) or (subjects, n, n)
        RDM; with several subjects, the statistic is the mean score.

    Returns
    -------
    MaxStatistic
        scores (layers,), corrected p (layers,), best layer and its p.

    Examples
    --------
    >>> import numpy as np
    >>> a = [np.corrcoef(x) for x in np.random.default_rng(0).normal(size=(3, 20, 30))]
    >>> max_statistic(a, a[1], n=99).best
    1
    """
    a = stack(a, "a")
    b = stack(b, "b", a.shape[1])
    if n < 1:
        raise ValueError(f"n: expected at least 1 permutation, got {n}")
    layers = np.stack([standardised(x) for x in a])
    target = np.mean([standardised(x) for x in b], axis=0)
    scores = np.tensordot(layers, target) / 2
    null = null_scores(layers, target, n, seed).max(axis=1)
    # Scores that differ by rounding alone are ties, and ties count against the claim.
    p = (np.count_nonzero(null[:, None] >= scores - 1e-12, axis=0) + 1) / (n + 1)
    best = int(scores.argmax())
    return MaxStatistic(scores, p, best, float(p[best]))


def standardised(r: np.ndarray) -> np.ndarray:
    """`rsa.standardised_ranks` as a symmetric (n, n)."""
    i, j = np.triu_indices(len(r), 1)
    out = np.zeros(r.shape)
    out[i, j] = out[j, i] = rsa.standardised_ranks(r)
    return out


def null_scores(layers: np.ndarray, target: np.ndarray, n: int, seed: int, use_numba: bool | None = None) -> np.ndarray:
    """Scores (n, layers) of standardised layers (layers, n, n) with a target whose stimuli are permuted.

    Ranks are computed once: a permutation moves them about. numba gathers one permuted row at a time from a
    row that stays in the cache; numpy would write the whole permuted matrix to memory and read it back.
    """
    rng = np.random.default_rng(seed)
    permutations = np.stack([rng.permutation(len(target)) for _ in range(n)])
    if have_numba() if use_numba is None else use_numba:
        from .kernels import permuted_products

        parts = np.array_split(permutations, max(1, min(cores(), n)))
        return np.concatenate(in_threads(lambda part: permuted_products(layers, target, part), parts))
    flat = layers.reshape(len(layers), -1)
    return np.stack([flat @ target[p][:, p].ravel() for p in permutations]) / 2
