"""Uncertainty of fits: resamples by row and by model, intervals, bands, and parameters that are not identified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import chi2

from .fitting import Fit, predict, public
from .solve import minimise


def resamples(models, n: int, by: str = "model", seed: int = 0) -> np.ndarray:
    """How often each row is in each resample: (n, rows).

    ``by="row"`` draws rows, in the same way as the published fits, whose seed is 42; ``by="model"`` draws models and
    takes all their rows.

    >>> resamples(["a", "a", "b"], 3, by="model", seed=1).tolist()
    [[1.0, 1.0, 1.0], [0.0, 0.0, 2.0], [2.0, 2.0, 0.0]]
    """
    models = np.asarray(models)
    if by not in ("row", "model"):
        raise ValueError(f"by: expected 'row' or 'model', got {by!r}")
    units = np.arange(len(models)) if by == "row" else np.unique(models, return_inverse=True)[1]
    count = units.max() + 1
    draws = np.random.default_rng(seed).integers(0, count, size=(n, count))
    return np.stack([np.bincount(d, minlength=count) for d in draws])[:, units].astype(float)


@dataclass(frozen=True)
class Bootstrap:
    """A fit on resamples of its points."""

    fit: Fit
    theta: np.ndarray  # (n, p)
    loss: np.ndarray  # (n,)
    by: str

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        return public(self.fit.law, self.theta, self.fit.log_g)

    def interval(self, name: str, confidence: float = 0.95) -> tuple[float, float]:
        """Central percentiles of a parameter; an end beyond the law's limits is infinite, or 0 for E, A and B."""
        low, high = percentiles(self.parameters[name], confidence)
        least, most = self.fit.law.limits(self.fit.log_g).get(name, (-np.inf, np.inf))
        bottom = 0.0 if name in "EAB" and least >= 0 else -np.inf
        return (low if low > least else bottom), (high if high < most else np.inf)

    def band(self, x, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper curve at x, point by point."""
        curves = predict(self.fit.law, self.theta, self.fit.log_g, x)
        return percentiles(curves, confidence)


def percentiles(values, confidence: float = 0.95):
    tail = 50 * (1 - confidence)
    return tuple(np.nanpercentile(values, (tail, 100 - tail), axis=0))


def bootstrap(
    fit: Fit, n: int = 1000, by: str = "model", seed: int = 0, all_starts: bool = False, weights=None
) -> Bootstrap:
    """Fit again on resamples.

    all_starts : fit from every start of the law, as for the data themselves. By default, fit from the minima of the
        data and a dozen starts: several times faster, with the same percentiles to two digits.
    weights : (n, rows), instead of ``by`` and ``seed``: the same resamples for several fits of the same rows.
    """
    points = fit.points
    weights = resamples(points.models, n, by, seed) if weights is None else weights
    u = np.log(points.x) - fit.log_g
    starts = fit.law.starts(u, points.loss, fit.log_g)
    if not all_starts:
        starts = np.concatenate([fit.others, starts[:: max(1, len(starts) // 12)]])
    found = minimise(fit.law, u, points.loss, starts, weights, delta=fit.delta, thorough=all_starts)
    return Bootstrap(fit, found.theta, found.loss, by)


class Range(NamedTuple):
    """The values of a parameter that the data do not exclude."""

    low: float
    high: float
    identified: bool


STEPS = np.append(np.geomspace(1e-4, 0.6, 16), 1.0)  # fractions of the distance to the end of the box


def profile(fit: Fit, confidence: float = 0.95) -> dict[str, Range]:
    """Range of each parameter that the data do not exclude, by profile likelihood.

    With delta far below the residuals the Huber loss S is delta times the sum of their absolute values, minus twice the
    log likelihood of Laplace noise of unknown scale is 2 n log S, and theta is not excluded as long as

    .. math:: 2 n \\log (S(\\theta) / S_{min}) \\le \\chi^2_1(0.95),

    with n the number of models, because rows of one model are not independent. Every coordinate is moved away from the
    minimum, at most to the end of its box, while the others adapt. A parameter is identified if none of the points
    that are not excluded is beyond the law's limits for it, such as E = 1e-6, below which log E hardly matters.
    """
    points, form = fit.points, fit.law
    limit = fit.loss * np.exp(chi2.ppf(confidence, 1) / (2 * len(np.unique(points.models))))
    u = np.log(points.x) - fit.log_g
    inside = [fit.theta[None]]
    for i, box in enumerate(form.box):
        for end in box:
            way = fit.theta[i] + (end - fit.theta[i]) * STEPS
            starts = np.repeat(fit.others[None], len(way), axis=0)
            starts[:, :, i] = way[:, None]
            weights = np.ones((len(way), len(points)))
            found = minimise(form, u, points.loss, starts, weights, fixed=(i,), delta=fit.delta)
            inside.append(found.theta[found.loss <= limit])
            inside.append(_crossing(fit, found, limit))
    limits = form.limits(fit.log_g)
    return {
        name: _range(values, *limits.get(name, (-np.inf, np.inf)))
        for name, values in public(form, np.concatenate(inside), fit.log_g).items()
    }


def _crossing(fit, found, limit) -> np.ndarray:
    """The point (1, p) where a path crosses the limit, or none; the root of the loss is nearly linear along it."""
    outside = np.flatnonzero(~(found.loss <= limit))
    if not len(outside) or not np.isfinite(found.loss[outside[0]]):
        return np.empty((0, len(fit.theta)))
    at = outside[0]
    inner, start = (found.theta[at - 1], found.loss[at - 1]) if at else (fit.theta, fit.loss)
    before, here, there = np.sqrt(np.maximum(np.array([start, limit, found.loss[at]]) - fit.loss, 0.0))
    return (inner + (here - before) / (there - before) * (found.theta[at] - inner))[None]


def _range(values, low, high) -> Range:
    finite = np.isfinite(values).all()
    ends = float(np.nanmin(values)), float(np.nanmax(values))
    return Range(*ends, identified=bool(finite and low < ends[0] and ends[1] < high))
