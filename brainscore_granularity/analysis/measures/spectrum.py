"""Eigenspectra: how variance falls over principal components."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import norm

FIRST = 4  # first component of the fit, so that a few leading ones do not dominate it


class PowerLaw(NamedTuple):
    """Variance of component r falls as r ** -exponent."""

    exponent: float
    low: float
    high: float
    first: int
    last: int


def participation_ratio(values) -> float:
    """Effective number of dimensions, (sum l)^2 / sum l^2.

    >>> participation_ratio([1.0, 1.0, 0.0])
    2.0
    """
    values = np.asarray(values, float)
    return float(values.sum() ** 2 / (values**2).sum())


def power_law(values, scores=None, first: int = FIRST, last: int | None = None, level: float = 0.95) -> PowerLaw:
    """Exponent of a power law, by least squares of log variance on log rank.

    The interval is for new images, from the infinitesimal jackknife: more weight on image i changes the variance l of a
    component by z_i^2 - l, and therefore the exponent by

    .. math:: -\\sum_r c_r (z_{ir}^2 - l_r) / l_r,

    with c_r the least-squares weights of the slope.

    Parameters
    ----------
    values : (k,) variances, largest first.
    scores : (images, k) scores of the images on which the components were fitted; None: no interval.
    first, last : ranks between which the law is fitted, from 1; last by default a fifth of the images or of the
        components, since the smallest variances of a sample fall faster than those of the population.
    """
    values = np.asarray(values, float)
    if last is None:
        last = max(first + 4, min(len(values), len(scores) if scores is not None else len(values)) // 5)
    if not 1 <= first < last - 1 or last > len(values):
        raise ValueError(
            f"a power law needs at least 3 components between ranks {first} and {last}, got {len(values)}: give more "
            "images, or a layer of more dimensions"
        )
    part = slice(first - 1, last)
    x = np.log(np.arange(first, last + 1))
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    exponent = float(-weights @ np.log(values[part]))
    if scores is None:
        return PowerLaw(exponent, np.nan, np.nan, first, last)
    influence = -(np.asarray(scores)[:, part] ** 2 / values[part] - 1) @ weights
    reach = norm.ppf((1 + level) / 2) * influence.std(ddof=1) / np.sqrt(len(influence))
    return PowerLaw(exponent, float(exponent - reach), float(exponent + reach), first, last)
