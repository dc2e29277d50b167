"""Which law predicts new data? Laws are compared at larger X than they were fitted to, never on the fitted rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .fitting import fit
from .laws import law
from .table import Points, TooFewPoints
from .uncertainty import resamples


class Extrapolation(NamedTuple):
    """A law fitted below a cut and evaluated above it."""

    law: str
    cut: float  # in units of the points' scale
    fitted: int  # rows
    asked: int
    error: float  # mean |log L_hat - log L| above the cut
    bias: float  # mean log L_hat - log L: negative means too optimistic
    in_sample: float  # mean |log L_hat - log L| below the cut
    residuals: np.ndarray  # (rows above the cut,) log L_hat - log L
    models: np.ndarray  # (rows above the cut,)


def extrapolate(points: Points, law_name: str = "power", fraction: float = 0.8) -> Extrapolation:
    """Fit on the lower ``fraction`` of the rows by X and predict the rest. Two variables: by their product, as compute.

    Rows with equal X are on the same side.
    """
    return _beyond(points, law_name, fraction, 1.0)


def _beyond(points, law_name, begin, end) -> Extrapolation:
    size = points.x if points.x.ndim == 1 else points.x.prod(axis=1)
    cut, until = np.quantile(size, [begin, end], method="inverted_cdf")
    below, above = size <= cut, (size > cut) & (size <= until)
    if not above.any():
        raise TooFewPoints(
            f"nothing lies between the {begin:.0%} and {end:.0%} points of {' x '.join(points.names)}: too few distinct"
        )
    known, asked = points.rows(below), points.rows(above)
    found = fit(known, law_name)
    residuals = np.log(found.predict(asked.x)) - np.log(asked.loss)
    if not np.isfinite(residuals).all():  # a law that becomes negative there counts as predicting L = 1e-3
        residuals = np.where(np.isfinite(residuals), residuals, np.log(1e-3) - np.log(asked.loss))
    inside = np.log(found.predict(known.x)) - np.log(known.loss)
    return Extrapolation(
        law_name, float(cut), int(below.sum()), int(above.sum()), float(np.abs(residuals).mean()),
        float(residuals.mean()), float(np.abs(inside).mean()), residuals, asked.models,
    )  # fmt: skip


class Comparison(NamedTuple):
    """Held-out errors of laws on the same rows."""

    laws: tuple[str, ...]
    cuts: tuple[float, ...]
    errors: np.ndarray  # (laws, cuts), mean |log L_hat - log L| between a cut and the next
    held_out: np.ndarray  # (laws,), over all rows that were above a cut
    in_sample: np.ndarray  # (laws,), Huber loss of the fit to all rows
    best: str
    wins: np.ndarray  # (laws,), share of model resamples of the held-out rows in which a law is best


CUTS = (0.5, 0.6, 0.7, 0.8, 0.9)


def compare(
    points: Points,
    laws: tuple[str, ...] = ("power", "free", "log-linear"),
    cuts: tuple[float, ...] = CUTS,
    n: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Fit below each cut and predict up to the next one.

    The laws are fitted to and predict the same rows. ``wins`` resamples models among the held-out rows, without new
    fits: it shows whether the order of the laws depends on the choice of models.
    """
    for name in laws:
        law(name)
    ends = (*cuts[1:], 1.0)
    steps = [[_beyond(points, name, b, e) for b, e in zip(cuts, ends, strict=True)] for name in laws]
    sizes = np.abs(np.stack([np.concatenate([s.residuals for s in row]) for row in steps]))
    models = np.concatenate([s.models for s in steps[0]])
    weights = resamples(models, n, "model", seed)
    resampled = (weights @ sizes.T) / weights.sum(axis=1, keepdims=True)
    held_out = sizes.mean(axis=1)
    return Comparison(
        tuple(laws),
        tuple(s.cut for s in steps[0]),
        np.array([[s.error for s in row] for row in steps]),
        held_out,
        np.array([fit(points, name).loss for name in laws]),
        laws[int(held_out.argmin())],
        np.bincount(resampled.argmin(axis=1), minlength=len(laws)) / n,
    )
