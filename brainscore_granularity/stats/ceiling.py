"""How well any model could do: noise ceilings and the reliability of RDMs."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from brainscore_granularity import rsa
from brainscore_granularity.rsa.comparison import ranked

from .checks import stack


class TwoSubjectsWarning(UserWarning):
    """The upper bound of a noise ceiling was estimated from two subjects only."""


class Ceiling(NamedTuple):
    """Bounds on the score of the true model."""

    lower: float
    upper: float


def noise_ceiling(rdms, method: str = "spearman", pool: str = "mean") -> Ceiling:
    """Lower and upper bound on the score of the true model (Nili et al. 2014).

    Each subject's RDM r_s is compared with the pool of all subjects (upper: the pool holds the subject's
    own noise) and of all others (lower: the pool is noisier than the truth), and averaged over the S
    subjects:

    .. math:: lower = \\frac1S \\sum_s \\rho(r_s, \\bar r_{-s}), \\qquad upper = \\frac1S \\sum_s \\rho(r_s, \\bar r).

    Parameters
    ----------
    rdms : (subjects, n, n)
    method : str
        As in :func:`brainscore_granularity.rsa.compare`.
    pool : {"mean", "rank"}
        ``"mean"`` averages the RDMs. ``"rank"`` averages their ranks, which for Spearman is the pool that
        no other RDM can beat, so that the upper bound is one even for models fitted to these subjects; also
        the choice where subjects' dissimilarities have different units.

    Returns
    -------
    Ceiling
        (lower, upper).

    Warns
    -----
    TwoSubjectsWarning
        With two subjects the pool is half the subject itself: the upper bound is near its maximum whatever
        the data.

    Examples
    --------
    >>> import numpy as np
    >>> truth, *noise = np.random.default_rng(0).normal(size=(5, 30, 40))
    >>> low, high = noise_ceiling([rsa.rdm(truth + n) for n in noise])
    >>> 0 < low < high < 1
    True
    """
    rdms = stack(rdms, "rdms")
    if len(rdms) < 2:
        raise ValueError(f"rdms: expected at least 2 subjects (subjects, n, n), got {rdms.shape}")
    if pool not in ("mean", "rank"):
        raise ValueError(f"pool: expected 'mean' or 'rank', got {pool!r}")
    if len(rdms) == 2:
        warnings.warn(
            "The upper noise ceiling of 2 subjects is inflated: half of the pooled RDM is the subject's own. Report the"
            " lower bound, or add subjects.",
            TwoSubjectsWarning,
            stacklevel=2,
        )
    pooled = np.stack([ranked(r) for r in rdms]) if pool == "rank" else rdms
    total = pooled.sum(axis=0)
    lower = np.mean([rsa.compare(r, total - p, method) for r, p in zip(rdms, pooled, strict=True)])
    upper = np.mean([rsa.compare(r, total, method) for r in rdms])
    return Ceiling(float(lower), float(upper))


def spearman_brown(r: float, k: float = 2.0) -> float:
    """Reliability of k times as much data, from the reliability r: k r / (1 + (k - 1) r).

    >>> spearman_brown(0.5)
    0.6666666666666666
    """
    return k * r / (1 + (k - 1) * r)


def split_half(rdms, method: str = "spearman", n: int = 100, seed: int = 0) -> float:
    """Reliability of the mean RDM: two random halves compared, corrected to full length by Spearman-Brown.

    Parameters
    ----------
    rdms : (repeats or subjects, n, n)
        With an odd number, one is left out of each split.
    n : int
        Number of random splits, over which the correlation is averaged before the correction.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> truth, *noise = np.random.default_rng(0).normal(size=(9, 30, 40))
    >>> 0.5 < split_half([rsa.rdm(truth + n) for n in noise]) < 1
    True
    """
    rdms = stack(rdms, "rdms")
    half = len(rdms) // 2
    if half < 1:
        raise ValueError(f"rdms: expected at least 2 to split, got {rdms.shape}")
    rng = np.random.default_rng(seed)
    r = []
    for _ in range(n):
        order = rng.permutation(len(rdms))
        first, second = rdms[order[:half]].mean(axis=0), rdms[order[half : 2 * half]].mean(axis=0)
        r.append(rsa.compare(first, second, method))
    return float(spearman_brown(float(np.mean(r)), len(rdms) / half))


def consistency(rdms, method: str = "spearman") -> np.ndarray:
    """How alike subjects are: (subjects, subjects) comparisons of their RDMs, ones on the diagonal.

    >>> import numpy as np
    >>> truth, *noise = np.random.default_rng(0).normal(size=(4, 30, 40))
    >>> consistency([rsa.rdm(truth + n) for n in noise]).shape
    (3, 3)
    """
    rdms = stack(rdms, "rdms")
    out = np.eye(len(rdms))
    for s in range(len(rdms)):
        for t in range(s):
            out[s, t] = out[t, s] = rsa.compare(rdms[s], rdms[t], method)
    return out
