"""Confidence intervals from resampled scores."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import norm

METHODS = ("percentile", "bca", "subsample")


class Interval(NamedTuple):
    """Ends of a confidence interval."""

    low: float
    high: float


def interval(
    samples,
    level: float = 0.95,
    method: str = "percentile",
    *,
    estimate=None,
    jackknife=None,
    fraction: float = 0.9,
) -> Interval:
    """Confidence interval of a score.

    Parameters
    ----------
    samples : (n,)
        Scores on resamples, as from :func:`bootstrap`; NaN are left out, and more than 5% of them are an
        error.
    level : float
        Coverage.
    method : {"percentile", "bca", "subsample"}
        ``"percentile"``: quantiles of the samples (Efron 1979), for samples with replacement. ``"bca"``:
        corrected for bias and acceleration (Efron 1987), for samples with replacement; needs ``estimate``
        and ``jackknife``. ``"subsample"``: for samples without replacement; needs ``estimate`` and their
        ``fraction`` f. A subsample's score varies around the full one with variance (1 - f) / f times the
        score's own (the delete-d jackknife of Shao & Wu 1989), so deviations are widened by sqrt(f / (1 -
        f)) and reflected about the estimate.
    estimate : float, optional
        The score on all stimuli.
    jackknife : (stimuli,), optional
        Scores with one stimulus left out, from :func:`jackknife`.
    fraction : float
        Share of the stimuli in each subsample.

    Returns
    -------
    Interval
        (low, high).

    Examples
    --------
    >>> [round(float(x), 3) for x in interval(range(1001), level=0.9)]
    [50.0, 950.0]
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    if not 0 < level < 1:
        raise ValueError(f"level: expected a number between 0 and 1, such as 0.95, got {level}")
    samples = np.asarray(samples, float)
    if samples.ndim != 1 or len(samples) < 2:
        raise ValueError(
            f"samples: expected (n,) of at least 2, got {samples.shape}; give one model and subject at a time"
        )
    finite = samples[np.isfinite(samples)]
    if len(finite) < 0.95 * len(samples):
        raise ValueError(f"samples: {len(samples) - len(finite)} of {len(samples)} are NaN, too many for an interval")
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "percentile":
        return Interval(*map(float, np.quantile(finite, tails)))
    if estimate is None or (method == "bca" and jackknife is None):
        raise ValueError(
            f"method={method!r} needs estimate{' and jackknife' if method == 'bca' else ''}: pass the score"
        )
    if method == "subsample":
        if not 0 < fraction < 1:
            raise ValueError(f"fraction: expected the share of stimuli in each subsample, in (0, 1), got {fraction}")
        widened = (finite - estimate) * np.sqrt(fraction / (1 - fraction))
        return Interval(*map(float, estimate - np.quantile(widened, tails[::-1])))
    below = (np.count_nonzero(finite < estimate) + np.count_nonzero(finite == estimate) / 2) / len(finite)
    bias = norm.ppf(np.clip(below, 1 / (len(finite) + 1), 1 - 1 / (len(finite) + 1)))
    influence = np.mean(jackknife) - np.asarray(jackknife, float)
    spread = (influence**2).sum() ** 1.5
    acceleration = (influence**3).sum() / (6 * spread) if spread > 0 else 0.0
    z = bias + norm.ppf(tails)
    return Interval(*map(float, np.quantile(finite, norm.cdf(bias + z / (1 - acceleration * z)))))
