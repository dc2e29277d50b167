"""An estimate with its error, interval and p, from scores on resamples of the stimuli and from several subjects."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

ROUNDING = 1e-14  # scores lie between -1 and 1: an error this small is rounding


class Estimate(NamedTuple):
    """A score with its standard error, interval, two-sided p value against 0, and degrees of freedom of its t."""

    value: float
    error: float
    low: float
    high: float
    p: float
    df: float = float("nan")


def with_student(value: float, variance: float, df: float, level: float, null: float = 0.0) -> Estimate:
    """Estimate whose interval and p, against ``null``, are those of Student's t with ``df`` degrees of freedom.

    >>> found = with_student(2.0, 1.0, 10, 0.95)
    >>> round(found.low, 2), round(found.high, 2), round(found.p, 3)
    (-0.23, 4.23, 0.073)
    """
    error, apart = float(np.sqrt(variance)), abs(value - null)
    reach = float(student.ppf((1 + level) / 2, df)) * error
    p = float(apart <= ROUNDING) if error <= ROUNDING else float(2 * student.sf(apart / error, df))
    return Estimate(value, error, value - reach, value + reach, p, float(df))


def estimate(whole, drawn, one_out, images: int, seed: int, factor: str, level: float) -> Estimate:
    """Mean score over subjects with its error over stimuli, subjects or both; formulas in :func:`two_factor`.

    Parameters
    ----------
    whole : (1, subjects)
        Scores on all stimuli.
    drawn : (resamples, subjects) or None
        Scores on resamples of the stimuli; not used where only subjects are random.
    one_out : (images, subjects) or None
        Scores with one stimulus left out, for ``correction="pairs"``.
    """
    whole = whole[0]
    subjects, value = len(whole), float(whole.mean())
    new_subjects = whole.var(ddof=1) / subjects if factor != "stimuli" else 0.0
    if factor == "subjects":
        return with_student(value, new_subjects, subjects - 1, level)
    naive, interaction = drawn.mean(axis=1).var(ddof=1), 0.0
    if one_out is not None:
        new_stimuli, own = _stimuli_and_interaction(drawn, one_out)
        interaction = own if factor == "both" else 0.0
    else:
        new_stimuli = naive
        if factor == "both":
            who = np.random.default_rng([seed, 1]).integers(0, subjects, size=(len(drawn), subjects))
            both = np.take_along_axis(drawn, who, axis=1).mean(axis=1).var(ddof=1)
            interaction = both - naive - new_subjects * (subjects - 1) / subjects
    interaction = min(max(interaction, 0.0), new_stimuli, new_subjects)
    variance = new_stimuli + new_subjects - interaction
    df = images - 1.0
    if factor == "both" and variance > 0:
        parts = (new_stimuli - interaction) ** 2 / (images - 1) + new_subjects**2 / (subjects - 1)
        df = variance**2 / parts if parts > 0 else df
    return with_student(value, variance, df, level)


def over_stimuli(drawn, one_out) -> np.ndarray:
    """Variance over new stimuli, 2J - B: what is particular to a pair of stimuli is counted once.

    drawn, one_out : (resamples, ...), (images, ...) scores on resamples, and with one stimulus left out.
    """
    images = len(one_out)
    return 2 * (images - 1) ** 2 / images * np.var(one_out, axis=0, ddof=1) - np.var(drawn, axis=0, ddof=1)


def over_stimuli_at_least(drawn, one_out) -> float:
    """The same of one score (resamples,), (images,), no less than a third of B, which counts a pair three times."""
    return float(max(over_stimuli(drawn, one_out), np.var(drawn, ddof=1) / 3))


def _stimuli_and_interaction(drawn, one_out) -> tuple[float, float]:
    """Variances of the mean over subjects for new stimuli, and of its part that is a subject's own."""
    subjects = drawn.shape[1]
    mean = over_stimuli_at_least(drawn.mean(axis=1), one_out.mean(axis=1))
    single = over_stimuli(drawn, one_out).mean()
    return mean, (single - mean) / (subjects - 1) if subjects > 1 else 0.0
