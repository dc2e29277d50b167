"""When does alignment arise? Alignment along training, and the step at which half of it is reached."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from brainscore_granularity import rsa, stats
from brainscore_granularity.rsa.components import principal_components


class Course(NamedTuple):
    """Alignment along training.

    table : one row per checkpoint: step, value, low, high, p (shuffled images, corrected for the search over steps).
    samples : (resamples, steps) scores on the same resamples of images at every step.
    half : step at which half of the gain over the first checkpoint is reached; ``low``, ``high`` its 95% interval.
    unreached : share of resamples without a gain, in which no such step exists.
    """

    table: pd.DataFrame
    samples: np.ndarray
    half: float
    low: float
    high: float
    unreached: float


def course(steps, rdms, subjects, resamples: int = 1000, permutations: int = 999, seed: int = 0) -> Course:
    """Alignment of every checkpoint with the mean of the subjects' scores.

    Parameters
    ----------
    steps : (t,) in increasing order; the first is the untrained network, or the earliest checkpoint.
    rdms : (t, n, n) RDMs of one layer at those steps.
    subjects : (n, n) or (subjects, n, n)
    """
    steps = checked(steps, len(rdms))
    samples = stats.bootstrap(np.asarray(rdms), subjects, n=resamples, fraction=None, seed=seed)
    samples = samples.reshape(resamples, len(steps), -1).mean(axis=2)
    found = stats.max_statistic(rdms, subjects, permutations, seed)
    ends = [stats.interval(column) for column in samples.T]
    table = pd.DataFrame({"step": steps, "value": found.scores, "low": [e.low for e in ends],
                          "high": [e.high for e in ends], "p": found.p})  # fmt: skip
    halves = np.array([half_time(steps, sample) for sample in samples])
    known = halves[np.isfinite(halves)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
    return Course(table, samples, half_time(steps, found.scores), float(low), float(high), 1 - len(known) / resamples)


def half_time(steps, values, of: str = "gain") -> float:
    """First step at which half of a change is reached, interpolated linearly in log(1 + step) between checkpoints.

    of : "gain": half of the change from the first value to the last. "final": half of the last value, which an
        untrained network may already have. NaN if the last value is not above the first (for "final": not above 0).
    """
    if of not in ("gain", "final"):
        raise ValueError(f"of: expected gain or final, got {of!r}")
    steps, values = checked(steps, len(values)), np.asarray(values, float)
    base = values[0] if of == "gain" else 0.0
    if not values[-1] > base:
        return float("nan")
    goal = (base + values[-1]) / 2
    i = int(np.argmax(values >= goal))
    if i == 0:
        return float(steps[0])
    share = (goal - values[i - 1]) / (values[i] - values[i - 1])
    before, after = np.log1p(steps[i - 1 : i + 1])
    return float(np.expm1(before + share * (after - before)))


def against(features, native, components=(1, 2, 5, 10)) -> pd.DataFrame:
    """RSA with the native model within the first k principal components of each.

    features, native : (n, d) of the same images; k must be below n and not above either rank.

    Returns
    -------
    One row per k: components, value. Distances are Euclidean, because with one component images lie on a line.
    """
    a, b = (scores(x, max(components)) for x in (features, native))
    rows = [
        {"components": k, "value": rsa.compare(rsa.rdm(a[:, :k], "euclidean"), rsa.rdm(b[:, :k], "euclidean"))}
        for k in components
    ]
    return pd.DataFrame(rows)


def scores(features, k: int) -> np.ndarray:
    """Scores (n, k) on the first k principal components."""
    x = np.asarray(features, np.float64).reshape(len(features), -1)
    found = principal_components(x, np.arange(len(x))).scores
    if found.shape[1] < k:
        raise ValueError(f"{len(x)} images give {found.shape[1]} principal components here, not {k}; ask for fewer")
    return found[:, :k]


def checked(steps, number: int) -> np.ndarray:
    """Steps as an array, or an error that says what is wrong with them."""
    steps = np.asarray(steps, float)
    if steps.shape != (number,) or number < 2 or (np.diff(steps) <= 0).any() or steps[0] < 0:
        raise ValueError(
            f"steps: expected {max(number, 2)} rising steps from 0, one per checkpoint, got {steps.tolist()}"
        )
    return steps
