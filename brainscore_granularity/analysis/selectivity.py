"""Artefacts of coarse training: class selectivity, sparseness, dead units, extremes, intrinsic dimension.

All are for activations after a ReLU, (images, units); other layers are an error, because selectivity of signed numbers
is not bounded and a dead unit not defined.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import kurtosis

from .. import stats

FRACTION = 0.9  # of the images in a subsample: repeated images would have distance 0 in `dimension`
# Where a measure is beyond its limit the layer is called pathological; conventions, not tests.
LIMITS = {"dead": 0.5, "top_unit": 0.5, "kurtosis": 100.0}


class NotRectified(ValueError):
    """The layer is not the output of a ReLU."""


def rectified(activations, layer: str = "the layer") -> np.ndarray:
    """Activations (images, units) as float64; NotRectified where some are negative."""
    x = np.asarray(activations, np.float64).reshape(len(activations), -1)
    if not np.isfinite(x).all():
        raise ValueError(f"{layer} has {np.count_nonzero(~np.isfinite(x))} activations that are NaN or infinite")
    if (x < 0).any():
        raise NotRectified(
            f"{layer} has negative activations (lowest {x.min():.3g}), so it is no output of a ReLU; choose layers "
            "after one, such as relu5"
        )
    return x


def class_selectivity(x, labels) -> np.ndarray:
    """(units,) (mu_max - mu_other) / (mu_max + mu_other) on class means; NaN for dead units.

    mu_max is the mean of the class that drives the unit most, mu_other the mean over the other classes' means.
    """
    x = rectified(x)
    classes, number = np.unique(labels, return_inverse=True)
    if len(classes) < 2 or len(number) != len(x):
        raise ValueError(f"expected one label for each of {len(x)} images, of 2 classes or more; got {len(number)} "
                         f"labels of {len(classes)}")  # fmt: skip
    total = np.zeros((len(classes), x.shape[1]))
    np.add.at(total, number, x)
    means = total / np.bincount(number)[:, None]
    best = means.max(axis=0)
    other = (means.sum(axis=0) - best) / (len(classes) - 1)
    with np.errstate(invalid="ignore"):
        return (best - other) / (best + other)


def hoyer(x, axis: int = -1) -> np.ndarray:
    """Sparseness (sqrt n - L1 / L2) / (sqrt n - 1): 0 all equal, 1 a single one; NaN where all are 0."""
    x = np.abs(np.asarray(x, np.float64))
    root = np.sqrt(x.shape[axis])
    with np.errstate(invalid="ignore"):
        return (root - x.sum(axis=axis) / np.sqrt((x**2).sum(axis=axis))) / (root - 1)


def dimension(x) -> float:
    """Intrinsic dimension from the ratio mu of the distances to the two nearest neighbours (Facco et al. 2017).

    .. math:: \\hat d = (n - 2) / \\sum_i \\log \\mu_i

    Images equal to another one count once; NaN with fewer than 10 that differ.
    """
    x = np.unique(np.asarray(x, np.float64), axis=0)
    if len(x) < 10:
        return float("nan")
    squares = (x**2).sum(axis=1)  # many units: all distances from one product of matrices beat a tree
    squared = np.maximum(squares[:, None] + squares - 2 * (x @ x.T), np.finfo(float).tiny)
    np.fill_diagonal(squared, np.inf)
    near = np.partition(squared, 1, axis=1)
    return float((len(x) - 2) / (np.log(near[:, 1] / near[:, 0]) / 2).sum())


def measures(x, labels) -> dict[str, float]:
    """All measures of one layer.

    selectivity : mean over units that are not dead. sparseness : mean over images. dead : share of units that no
    image drives. top_unit : share of the variance in the unit with most. largest : largest activation over the mean.
    kurtosis : excess, of all activations. dimension : two nearest neighbours.
    """
    x = rectified(x)
    if not x.any():
        return {name: np.nan for name in NAMES} | {"dead": 1.0}
    variance = x.var(axis=0)
    return {
        "selectivity": float(np.nanmean(class_selectivity(x, labels))),
        "sparseness": float(np.nanmean(hoyer(x))),
        "dead": float((x.max(axis=0) == 0).mean()),
        "top_unit": float(variance.max() / variance.sum()) if variance.any() else np.nan,
        "largest": float(x.max() / x.mean()),
        "kurtosis": float(kurtosis(x, axis=None)),
        "dimension": dimension(x),
    }


NAMES = ("selectivity", "sparseness", "dead", "top_unit", "largest", "kurtosis", "dimension")


def table(activations, labels, layer: str = "the layer", resamples: int = 100, seed: int = 0) -> pd.DataFrame:
    """One row a measure: value, 95% interval over images, null and p.

    The null shuffles images in every unit on its own: it keeps each unit's values and breaks what units share, and what
    they share with the classes. p is two-sided; measures that such a shuffle cannot change have none.
    """
    x, labels = rectified(activations, layer), np.asarray(labels)
    rng, value = np.random.default_rng(seed), measures(activations, labels)
    part = [rng.permutation(len(x))[: round(FRACTION * len(x))] for _ in range(resamples)]
    drawn = pd.DataFrame([measures(x[rows], labels[rows]) for rows in part])
    null = pd.DataFrame([measures(rng.permuted(x, axis=0), labels) for _ in range(resamples)])
    rows = []
    for name in NAMES:
        row = {"measure": name, "value": value[name], "low": np.nan, "high": np.nan, "null": np.nan, "p": np.nan}
        if np.isfinite(drawn[name]).all() and np.isfinite(value[name]):
            row["low"], row["high"] = stats.interval(
                drawn[name], method="subsample", estimate=value[name], fraction=FRACTION
            )
        if name in ("selectivity", "sparseness", "dimension") and np.isfinite(null[name]).all():
            above, below = ((null[name] >= value[name]).sum(), (null[name] <= value[name]).sum())
            row |= {"null": null[name].mean(), "p": min(1.0, 2 * (min(above, below) + 1) / (resamples + 1))}
        rows.append(row)
    return pd.DataFrame(rows)


def pathologies(values: dict[str, float], layer: str = "the layer") -> list[str]:
    """A sentence for each measure beyond its limit."""
    what = {
        "dead": "{:.0%} of the units are dead",
        "top_unit": "one unit holds {:.0%} of the variance",
        "kurtosis": "activations have an excess kurtosis of {:.0f}",
    }
    return [
        f"{layer}: {what[name].format(values[name])} (limit {limit:g}); alignment here may rest on few units"
        for name, limit in LIMITS.items()
        if values[name] > limit
    ]
