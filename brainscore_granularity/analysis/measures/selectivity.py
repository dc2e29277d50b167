"""Artefacts of coarse training: class selectivity, sparseness, dead units, extremes, intrinsic dimension.

All are for activations after a ReLU, (images, units); other layers are an error, because selectivity of signed numbers
is not bounded and a dead unit not defined.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import kurtosis

from brainscore_granularity import stats

MOST_DISTANCES = 1000
FRACTION = 0.9  # share of images in a subsample: repeated images would have distance 0 in `dimension`
# Limits beyond which a layer is called pathological; they are conventions, not tests.
LIMITS = {"dead": 0.5, "top_unit": 0.5, "kurtosis": 100.0}


class NotRectified(ValueError):
    """The layer is not the output of a ReLU."""


def rectified(activations, layer: str = "the layer") -> np.ndarray:
    """Activations (images, units) as float64; raises NotRectified if some are negative."""
    x = np.asarray(activations, np.float64).reshape(len(activations), -1)
    if not np.isfinite(x).all():
        raise ValueError(f"{layer} has {np.count_nonzero(~np.isfinite(x))} activations that are NaN or infinite")
    if (x < 0).any():
        raise NotRectified(
            f"{layer} has negative activations (lowest {x.min():.3g}), so it is not a ReLU's output; choose layers "
            "after one, such as relu5"
        )
    return x


def class_selectivity(x, labels) -> np.ndarray:
    """Selectivity (units,) of class means, (mu_max - mu_other) / (mu_max + mu_other); NaN for dead units.

    mu_max is the mean of the class that drives the unit most, mu_other the mean over the other classes' means.
    """
    x = rectified(x)
    classes, number = np.unique(labels, return_inverse=True)
    if len(classes) < 2 or len(number) != len(x):
        raise ValueError(f"expected one label for each of {len(x)} images, of 2 classes or more; got {len(number)} "
                         f"labels of {len(classes)}")  # fmt: skip
    counts, order = np.bincount(number), np.argsort(number, kind="stable")
    means = np.add.reduceat(x[order], np.cumsum(counts) - counts, axis=0) / counts[:, None]
    best = means.max(axis=0)
    other = (means.sum(axis=0) - best) / (len(classes) - 1)
    with np.errstate(invalid="ignore"):
        return (best - other) / (best + other)


def hoyer(x, axis: int = -1) -> np.ndarray:
    """Sparseness (sqrt n - L1 / L2) / (sqrt n - 1): 0 for equal values, 1 if only one is not 0; NaN if all are 0."""
    x = np.abs(np.asarray(x, np.float64))
    root = np.sqrt(x.shape[axis])
    with np.errstate(invalid="ignore"):
        return (root - x.sum(axis=axis) / np.sqrt((x**2).sum(axis=axis))) / (root - 1)


def dimension(x) -> float:
    """Intrinsic dimension from the ratio mu of the distances to the two nearest neighbours (Facco et al. 2017).

    .. math:: \\hat d = (n - 2) / \\sum_i \\log \\mu_i

    Images equal to another one count once; NaN with fewer than 10 that differ.
    """
    return dimension_of(squared_distances(np.unique(np.asarray(x, np.float64), axis=0)))


def squared_distances(x) -> np.ndarray:
    """Squared distances (n, n) between images, with infinity on the diagonal."""
    squares = (x**2).sum(axis=1)  # with many units one matrix product for all distances is faster than a tree
    squared = np.maximum(squares[:, None] + squares - 2 * (x @ x.T), np.finfo(float).tiny)
    np.fill_diagonal(squared, np.inf)
    return squared


def dimension_of(squared) -> float:
    """`dimension` from squared distances (n, n) of images that all differ."""
    if len(squared) < 10:
        return float("nan")
    near = np.partition(squared, 1, axis=1)
    return float((len(squared) - 2) / (np.log(near[:, 1] / near[:, 0]) / 2).sum())


def measures(x, labels, squared=None) -> dict[str, float]:
    """All measures of one layer.

    selectivity : mean over units that are not dead. sparseness : mean over images. dead : share of units that no
    image drives. top_unit : share of the variance in the unit with the largest one. largest : largest activation
    divided by the mean. kurtosis : excess kurtosis of all activations. dimension : from two nearest neighbours;
    ``squared``, if given, are the ``squared_distances`` of images that all differ.
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
        "dimension": dimension(x) if squared is None else dimension_of(squared),
    }


NAMES = ("selectivity", "sparseness", "dead", "top_unit", "largest", "kurtosis", "dimension")


def table(activations, labels, layer: str = "the layer", resamples: int = 100, seed: int = 0, nulls: int | None = None):
    """One row per measure: value, 95% interval over images, null and p.

    The null shuffles images separately in every unit. This keeps the values of each unit, but breaks correlations
    between units and with the classes. p is two-sided; measures that such a shuffle cannot change have none. The
    dimension is computed on at most MOST_DISTANCES random images, because it needs all distances between images.
    """
    x, labels = rectified(activations, layer), np.asarray(labels)
    rng = np.random.default_rng(seed)
    few = rng.permutation(np.unique(x, axis=0, return_index=True)[1])[:MOST_DISTANCES]
    squared = squared_distances(x[few])
    value = measures(x, labels, squared)
    drawn, null = [], []
    for _ in range(resamples):
        rows = rng.permutation(len(x))[: round(FRACTION * len(x))]
        there = np.flatnonzero(np.isin(few, rows))
        drawn.append(measures(x[rows], labels[rows], squared[np.ix_(there, there)]))
    for _ in range(nulls or resamples):
        shuffled = rng.permuted(x, axis=0)
        null.append({
            "selectivity": np.nanmean(class_selectivity(shuffled, labels)), "sparseness": np.nanmean(hoyer(shuffled)),
            "dimension": dimension_of(squared_distances(shuffled[: len(few)])),
        })  # fmt: skip
    drawn, null = pd.DataFrame(drawn), pd.DataFrame(null)
    rows = []
    for name in NAMES:
        row = {"measure": name, "value": value[name], "low": np.nan, "high": np.nan, "null": np.nan, "p": np.nan}
        if np.isfinite(drawn[name]).all() and np.isfinite(value[name]):
            # Fewer images per class shift these measures. The shift is a bias, not uncertainty, and is removed here.
            centre = drawn[name].mean()
            ends = stats.interval(drawn[name], method="subsample", estimate=centre, fraction=FRACTION)
            row["low"], row["high"] = (end - centre + value[name] for end in ends)
        if name in null and np.isfinite(null[name]).all():
            above, below = ((null[name] >= value[name]).sum(), (null[name] <= value[name]).sum())
            row |= {"null": null[name].mean(), "p": min(1.0, 2 * (min(above, below) + 1) / (len(null) + 1))}
        rows.append(row)
    return pd.DataFrame(rows)


def pathologies(values: dict[str, float], layer: str = "the layer") -> list[str]:
    """One sentence for each measure beyond its limit."""
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
