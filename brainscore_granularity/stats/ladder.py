"""Scores along a ladder of K, with networks and subjects as random factors: slopes, any effect of K, equal slopes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import f as fisher
from scipy.stats import t as student

FROM_SEEDS, FROM_LINE = "networks of one K", "deviations from a line"


class Slope(NamedTuple):
    """Change of the score a doubling of K; ``p`` is two-sided, against 0."""

    value: float
    error: float
    df: float
    low: float
    high: float
    p: float


class Test(NamedTuple):
    """An F test; NaN where the data cannot make it."""

    f: float
    df1: float
    df2: float
    p: float


POOLED_FROM = 0.25  # p of equal subjects above which their slopes are taken as one
REFUSED = Test(np.nan, np.nan, np.nan, np.nan)


class Ladder:
    """Which network has which K and belongs to which block, and what follows from that for any scores.

    A block is what networks of several K have in common: the seed, or the label source and the seed. How much networks
    differ is measured by those of one K, after the blocks' means are removed, where every K has two or more. Otherwise
    it is measured by deviations from a straight line in log2 K: with one network a K this is all there is. Without any
    effect of K both are exact; along a bent curve the second only makes intervals wider.

    Parameters
    ----------
    k : (n,)
        Number of classes of each network.
    block : (n,)
        Its seed, or any name.
    """

    def __init__(self, k, block):
        k = np.asarray(k, float)
        x, n = np.log2(k), len(k)
        blocks, levels = _dummies(block), _dummies(k)
        centred = _without(blocks, x)
        if not np.any(np.abs(centred) > 1e-9):
            raise ValueError("no block has networks of two K: there is no slope; give networks that share a seed")
        self.gain = 1 / float(centred @ centred)  # variance of a slope, a unit of variance between networks
        self.weights = centred * self.gain
        self.networks_a_k = int(levels.sum(axis=0).min())
        both = np.column_stack([blocks, levels])
        self.replicated = self.networks_a_k > 1 and np.linalg.matrix_rank(both) < n
        yardstick = both if self.replicated else np.column_stack([blocks, x])
        self.source = FROM_SEEDS if self.replicated else FROM_LINE
        self.residual = _projector(yardstick)
        self.df = n - int(np.linalg.matrix_rank(yardstick))
        self._blocks = _projector(blocks)
        self._levels = int(np.linalg.matrix_rank(both) - np.linalg.matrix_rank(blocks))
        if self.df < 1:
            raise ValueError(f"{n} networks leave nothing to tell how much networks differ; give more K or seeds")

    def slope(self, scores, level: float = 0.95) -> Slope:
        """Mean slope over subjects, for other networks and other subjects.

        The slope is that of least squares on the networks' mean scores with a mean for every block. Its variance adds
        up what networks and what subjects bring, less what both contain, as `two_factor` does for stimuli and subjects:

        .. math:: V = s^2_{network} G + (s^2_{slopes} / J - s^2_{network \\times subject} G / J),

        with G the variance of a slope a unit of variance between networks, and the bracket only where the subjects'
        slopes differ from one another at p < 0.25 (the usual rule for pooling: with four subjects, always adding it has
        2.3 to 4.5% false positives at 5%, and never adding it too many where they differ). The interval is that of t
        with Satterthwaite's degrees of freedom.

        Why not the Wald z of a mixed model: with few networks it is too sure of the variance between them, and finds
        effects where there are none; this is exact for networks that vary normally and subjects with one slope. Why not
        shuffled K: it has the same false positives, but no intervals and no other subjects (docs/calibration.md).

        Parameters
        ----------
        scores : (n, subjects)
            With one subject the slope is that subject's.
        """
        scores = self._checked(scores)
        each = self.weights @ scores
        value, parts = float(each.mean()), self._parts(scores)
        variance = parts.network + parts.subject
        error = float(np.sqrt(variance))
        df = variance**2 / parts.spread if parts.spread > 0 else float(self.df)
        reach = float(student.ppf((1 + level) / 2, df)) * error
        p = float(2 * student.sf(abs(value) / error, df)) if error > 0 else float(value == 0)
        return Slope(value, error, df, value - reach, value + reach, p)

    def effect(self, scores) -> Test:
        """Does K matter at all? Analysis of variance of the networks' means over these subjects, blocks removed.

        NaN where not every K has two networks: then a network that differs and a K that differs look the same.
        """
        scores = self._checked(scores)
        if not self.replicated:
            return REFUSED
        means = scores.mean(axis=1)
        within = float(means @ self.residual @ means)
        between = float(means @ self._blocks @ means) - within
        f = (between / self._levels) / (within / self.df) if within > 0 else np.inf
        return Test(f, self._levels, self.df, float(fisher.sf(f, self._levels, self.df)))

    def equal(self, several) -> Test:
        """Have several scales one slope? Hotelling's test on differences of slopes; NaN where networks are too few.

        A network's scores on all scales belong together: what it has of its own is in the covariance between scales.

        Parameters
        ----------
        several : list of (n, subjects of that scale)
        """
        several = [self._checked(scores) for scores in several]
        means = np.stack([scores.mean(axis=1) for scores in several], axis=1)
        slopes, q = self.weights @ means, len(several) - 1
        network = means.T @ self.residual @ means / self.df * self.gain
        parts = [self._parts(scores) for scores in several]
        covariance = network + np.diag([part.subject for part in parts])
        spread = sum(part.spread for part in parts)
        df = np.trace(covariance) ** 2 / spread if np.trace(network) and spread else float(self.df)
        df = min(df, float(self.df))
        if df < q:
            return REFUSED
        contrast = np.eye(q, len(several)) - np.eye(q, len(several), 1)
        apart = contrast @ slopes
        spread_of_apart = contrast @ covariance @ contrast.T
        if np.linalg.matrix_rank(spread_of_apart) < q:
            return REFUSED
        f = float(apart @ np.linalg.solve(spread_of_apart, apart)) * (df - q + 1) / (df * q)
        return Test(f, q, df - q + 1, float(fisher.sf(f, q, df - q + 1)))

    def _parts(self, scores) -> _Parts:
        subjects, means = scores.shape[1], scores.mean(axis=1)
        network = float(means @ self.residual @ means) / self.df * self.gain
        if subjects == 1:
            return _Parts(network, 0.0, network**2 / self.df)
        left = self.residual @ (scores - means[:, None])
        both = float((left**2).sum()) / (self.df * (subjects - 1)) * self.gain / subjects
        own = float((self.weights @ scores).var(ddof=1)) / subjects
        dfs = subjects - 1, self.df * (subjects - 1)
        if own <= both * float(fisher.isf(POOLED_FROM, *dfs)):
            return _Parts(network, 0.0, network**2 / self.df)
        return _Parts(network, own - both, network**2 / self.df + own**2 / dfs[0] + both**2 / dfs[1])

    def _checked(self, scores) -> np.ndarray:
        scores = np.asarray(scores, float)
        if scores.ndim != 2 or len(scores) != len(self.weights) or not np.isfinite(scores).all():
            raise ValueError(
                f"scores: expected finite numbers ({len(self.weights)} networks, subjects), got {scores.shape}; leave "
                "out networks that not every subject has a score of"
            )
        return scores


class _Parts(NamedTuple):
    network: float  # variance of the slope from networks
    subject: float  # what subjects add
    spread: float  # sum of squared mean squares over their degrees of freedom (Satterthwaite)


def _dummies(names) -> np.ndarray:
    values, which = np.unique(np.asarray(names), return_inverse=True)
    return np.eye(len(values))[which]


def _projector(columns) -> np.ndarray:
    """(n, n): projection onto what the columns do not explain."""
    return np.eye(len(columns)) - columns @ np.linalg.pinv(columns)


def _without(columns, x) -> np.ndarray:
    return _projector(columns) @ x
