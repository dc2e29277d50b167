"""The answer in one sentence, computed from the curves."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from . import conditions
from .curves import Line, Panel, Point
from .measures import SCALES


class Difference(NamedTuple):
    """Difference between the best number of classes of a line and the native classes, with its 95% interval."""

    best: Point
    native: Point
    value: float
    low: float
    high: float
    paired: bool  # both scores have the same resamples of the stimuli


def against_native(line: Line) -> Difference | None:
    """The best number of classes of a line against the native classes; None where one, or its error, is missing.

    Its variance has two parts. Stimuli: the variance of the difference on the same resamples of the stimuli for both;
    if a score lacks its resamples, both variances are added as if they were independent, which is too wide for
    networks that find the same stimuli hard. Seeds: the variance of the mean of the networks of each kind. The interval
    is widened for the choice of the best among several numbers of classes (Bonferroni). It does not cover variation
    between subjects.
    """
    native = next((p for p in line.means if p.place == conditions.NATIVE), None)
    coarse = [p for p in line.means if isinstance(p.place, int)]
    if native is None or not coarse:
        return None
    best = max(coarse, key=lambda p: p.value)
    stimuli, paired = difference_variance((best.error, best.resampled), (native.error, native.resampled))
    error = math.sqrt(stimuli + sum(p.spread**2 / p.seeds for p in (best, native)))
    if math.isnan(error):
        return None
    width = NormalDist().inv_cdf(1 - 0.025 / len(coarse)) * error
    value = best.value - native.value
    return Difference(best, native, value, value - width, value + width, paired)


def difference_variance(one: tuple, other: tuple) -> tuple[float, bool]:
    """Variance over stimuli of the difference of two scores, and whether it is paired.

    one, other : (error, values on resamples or None); values as in ``score_record.resampled_of``.
    """
    (error, a), (another, b) = one, other
    if a is not None and b is not None and np.shape(a) == np.shape(b):
        if np.ndim(a) == 1:
            return float(np.var(a - b, ddof=1)), True
        from brainscore_granularity.stats.overlaps import paired_variance  # scipy takes a while

        return paired_variance(a, b), True
    return error**2 + another**2, False


def measured(panels: list[Panel], family: str) -> str | None:
    """One sentence on the measured brains of one family of networks."""
    parts, verdicts, seeds, paired = [], [], set(), []
    for panel in panels:
        if panel.family != family or panel.simulated or panel.title not in SCALES:
            continue
        line = next((line for line in panel.lines if not line.is_control), None)
        found = line and against_native(line)
        if not found:
            continue
        best, native, difference, low, high, is_paired = found
        paired.append(is_paired)
        unit = "of the noise ceiling" if line.ceiling and line.ceiling[1] < 1 else "raw correlation"
        parts.append(
            f"{best.place} classes for {panel.title} ({best.value:.2f} {unit}, {difference:+.2f} against native, "
            f"95% interval {low:+.2f} to {high:+.2f})"
        )
        verdicts.append("better than" if low > 0 else "worse than" if high < 0 else "not distinguishably from")
        seeds |= {best.seeds, native.seeds}
    if not parts:
        return None
    if len(set(verdicts)) == 1:
        how = {"better than": "better than", "worse than": "worse than"}.get(verdicts[0], "as well as")
        head = f"networks trained on few coarse classes align <strong>{how}</strong> those trained on native classes"
        if how == "as well as":
            head += ", within noise"
    else:
        head = "whether few coarse classes align better than native ones depends on the measurement scale"
    over = "images" if seeds == {1} else "images and seeds"
    pairing = (
        "of paired differences, because all networks saw the same images"
        if all(paired)
        else "and treat scores on the same images as independent, which is too wide"
    )
    one = " There is one seed of each network." if seeds == {1} else ""
    return f"On measured brains, {head}: best are {_join(parts)}. Intervals are over {over}, {pairing}.{one}"


def simulated(panels: list[Panel]) -> str | None:
    """One sentence on the simulated brains whose answer is known."""
    parts = []
    for panel in panels:
        if not panel.simulated or panel.title != "IT":
            continue
        for line in panel.lines:
            trained = [p for p in line.means if p.place not in conditions.STARTS]
            best = max(trained, key=lambda p: p.value, default=None)
            if line.is_control or best is None or not best.low > 0:
                continue
            classes = "the native classes" if best.place == conditions.NATIVE else f"{best.place} classes"
            parts.append(
                f"the {line.name} is best matched by networks trained on <strong>{classes}</strong> "
                f"({best.value:.2f} of its noise ceiling, 95% interval {best.low:.2f} to {best.high:.2f})"
            )
    return f"On simulated brains, whose answer is known, {_join(parts)}." if parts else None


def _join(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
