"""How to divide a compute budget, and which regions gain most from scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fitting import Fit, fit, public
from .table import Points, ScalingError, TooFewPoints
from .uncertainty import bootstrap, percentiles, resamples


@dataclass(frozen=True)
class Allocation:
    """How compute C divides into parameters N and samples D.

    From L = E + A N^-alpha + B D^-beta and C = m (N D)^n, in scaled units (Hoffmann et al. 2022):

    .. math:: N^* = G (C/m)^{a/n}, \\quad D^* = G^{-1} (C/m)^{b/n}, \\quad a = \\frac{\\beta}{\\alpha + \\beta}, \\quad
              b = \\frac{\\alpha}{\\alpha + \\beta}, \\quad
              G = \\Big(\\frac{\\alpha A}{\\beta B}\\Big)^{1 / (\\alpha + \\beta)}.

    Every array holds the estimate first and the resamples after it.
    """

    joint: Fit
    theta: np.ndarray  # (1 + r, p)
    m: np.ndarray  # (1 + r,)
    n: np.ndarray
    compute_scale: float

    def _law(self):
        p = public(self.joint.law, self.theta, self.joint.log_g)
        total = p["alpha"] + p["beta"]
        with np.errstate(all="ignore"):
            g = np.exp((np.log(p["alpha"] / p["beta"]) + p["a"] - p["b"]) / total)
        return p["beta"] / total, p["alpha"] / total, g

    @property
    def exponents(self) -> dict[str, tuple[float, float, float]]:
        """N ~ C^(a/n) and D ~ C^(b/n): value, low, high."""
        a, b, _ = self._law()
        return {"N": _summary(a / self.n), "D": _summary(b / self.n)}

    def at(self, compute: float) -> dict[str, tuple[float, float, float]]:
        """Parameters N, samples seen D and misalignment L for a budget in FLOPs: value, low, high."""
        if not compute > 0:
            raise ScalingError(f"budget: expected FLOPs above 0, got {compute:g}")
        a, b, g = self._law()
        reach = compute / self.compute_scale / self.m
        big_n, big_d = g * reach ** (a / self.n), reach ** (b / self.n) / g
        x = np.log(np.stack([big_n, big_d], axis=1)) - self.joint.log_g
        with np.errstate(over="ignore", invalid="ignore"):
            loss = np.array(
                [
                    np.exp(self.joint.law.terms(t[None], row[None]).log_loss[0, 0])
                    for t, row in zip(self.theta, x, strict=True)
                ]
            )
        scale_n, scale_d = self.joint.points.scale
        return {"N": _summary(big_n * scale_n), "D": _summary(big_d * scale_d), "L": _summary(loss)}


def allocate(
    points: Points, compute, compute_scale: float = 1e13, n: int = 1000, by: str = "model", seed: int = 0
) -> Allocation:
    """Fit the joint law and C = m (N D)^n, on the data and on ``n`` resamples of them.

    Parameters
    ----------
    points : two variables, N and D
    compute : (rows,) FLOPs of each row
    """
    log_c = np.log10(np.asarray(compute, float) / compute_scale)
    if len(log_c) != len(points):
        raise ScalingError(f"compute: expected {len(points)} values, one per row, got {len(log_c)}")
    joint = fit(points, "joint")
    weights = resamples(points.models, n, by, seed) if n else np.zeros((0, len(points)))
    theta = bootstrap(joint, weights=weights).theta if n else np.zeros((0, len(joint.theta)))
    weights = np.concatenate([np.ones((1, len(points))), weights])
    x = np.log10(points.x).sum(axis=1)
    total = weights.sum(axis=1)
    mean_x, mean_c = weights @ x / total, weights @ log_c / total
    slope = (weights @ (x * log_c) / total - mean_x * mean_c) / (weights @ x**2 / total - mean_x**2)
    return Allocation(joint, np.vstack([joint.theta, theta]), 10 ** (mean_c - slope * mean_x), slope, compute_scale)


def _summary(values) -> tuple[float, float, float]:
    """Estimate and 95% interval; the interval is NaN without resamples."""
    low, high = percentiles(values[1:]) if len(values) > 1 else (np.nan, np.nan)
    return float(values[0]), float(low), float(high)


@dataclass(frozen=True)
class Gains:
    """The gain from the first tenfold increase of X, and whether it grows along an order of regions."""

    regions: tuple[str, ...]
    value: np.ndarray  # (regions,)
    low: np.ndarray
    high: np.ndarray
    ordered: float  # share of resamples in which each region gains more than the previous one
    p: tuple[float, ...]  # one-sided, for each neighbouring pair


def gains(points: dict[str, Points], n: int = 1000, seed: int = 0) -> Gains:
    """A 10^-alpha for every region, in the given order.

    This is the misalignment that is still reducible at X = 10 in the unit of the fits. Larger A and smaller alpha both
    increase it. Regions must have the same rows in the same order: a resample draws the same models for all.
    """
    first = next(iter(points.values()))
    for name, other in points.items():
        if len(other) != len(first) or (other.models != first.models).any() or other.scale != first.scale:
            raise ScalingError(f"{name}: expected the same models in the same order, and one unit, for every region")
    if len(points) < 2:
        raise TooFewPoints("the order of gains needs at least two regions")
    weights = resamples(first.models, n, "model", seed)
    value, drawn = [], []
    for each in points.values():
        found = fit(each, "power")
        value.append(_gain(public(found.law, found.theta, found.log_g)))
        drawn.append(_gain(bootstrap(found, weights=weights).parameters))
    drawn = np.stack(drawn, axis=1)
    low, high = percentiles(drawn)
    rises = np.diff(drawn, axis=1) > 0
    p = ((~rises).sum(axis=0) + 1) / (n + 1)
    return Gains(tuple(points), np.array(value), low, high, float(rises.all(axis=1).mean()), tuple(map(float, p)))


def _gain(parameters):
    return np.exp(parameters["a"] - np.log(10) * parameters["alpha"])
