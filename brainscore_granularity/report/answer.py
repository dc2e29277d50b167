"""The answer in one sentence, computed from the curves."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from . import conditions
from .curves import Line, Panel, Point
from .measures import SCALES

MARGIN = 0.25  # "as well as": within this share of what native training adds to fitted statistics
BETTER, WORSE, EQUIVALENT, UNDECIDED = "better than", "worse than", "as well as", "undecided"


class Difference(NamedTuple):
    """Difference between the best number of classes of a line and the native classes, with its 95% interval."""

    best: Point
    native: Point
    value: float
    low: float
    high: float
    paired: bool  # all scores have the same resamples of the stimuli
    verdict: str


def against_native(line: Line) -> Difference | None:
    """The best number of classes of a line against the native classes; None where one, or its error, is missing.

    Its variance has two parts. Stimuli: the variance of the difference on the same resamples of the stimuli for both;
    if a score lacks its resamples, both variances are added as if they were independent, which is too wide for
    networks that find the same stimuli hard. Seeds: the variance of the mean of the networks of each kind. The interval
    is widened for the choice of the best among several numbers of classes (Bonferroni). It does not cover variation
    between subjects.

    "As well as" is said where two one-sided tests, corrected alike, find the difference within `MARGIN` of native minus
    untrained with fitted statistics, a margin whose own error they know.
    """
    native, fitted = (
        next((p for p in line.means if p.place == place), None) for place in (conditions.NATIVE, conditions.FITTED)
    )
    coarse = [p for p in line.means if isinstance(p.place, int)]
    if native is None or not coarse:
        return None
    best = max(coarse, key=lambda p: p.value)
    value, error, paired = _contrast({best: 1, native: -1})
    if math.isnan(error):
        return None
    width = NormalDist().inv_cdf(1 - 0.025 / len(coarse)) * error
    low, high = value - width, value + width
    verdict = BETTER if low > 0 else WORSE if high < 0 else UNDECIDED
    if verdict == UNDECIDED and fitted is not None and native.value > fitted.value:
        sides = (_contrast({best: 1, native: -1 + way * MARGIN, fitted: -way * MARGIN}) for way in (1, -1))
        (above, error_above, _), (below, error_below, _) = sides
        z = NormalDist().inv_cdf(1 - 0.05 / len(coarse))
        if above > z * error_above and below < -z * error_below:
            verdict = EQUIVALENT
    return Difference(best, native, value, low, high, paired, verdict)


def _contrast(weights: dict[Point, float]) -> tuple[float, float, bool]:
    """Weighted sum of scores, its standard error over stimuli and seeds, and whether the stimuli are paired."""
    value = sum(weight * point.value for point, weight in weights.items())
    stimuli, paired = contrast_variance([(w, p.error, p.resampled) for p, w in weights.items()])
    seeds = sum((weight * point.spread) ** 2 / point.seeds for point, weight in weights.items())
    return value, math.sqrt(stimuli + seeds), paired


def difference_variance(one: tuple, other: tuple) -> tuple[float, bool]:
    """Variance over stimuli of the difference of two scores, and whether it is paired.

    one, other : (error, values on resamples or None); values as in ``runner.record.resampled_of``.
    """
    return contrast_variance([(1, *one), (-1, *other)])


def contrast_variance(terms: list[tuple]) -> tuple[float, bool]:
    """The same for a weighted sum of scores; terms are (weight, error, values on resamples or None)."""
    drawn = [values for _, _, values in terms]
    if all(values is not None for values in drawn) and len({np.shape(values) for values in drawn}) == 1:
        total = sum(weight * np.asarray(values) for weight, _, values in terms)
        if total.ndim == 1:
            return float(np.var(total, ddof=1)), True
        from brainscore_granularity.stats.overlaps import paired_variance  # scipy takes a while

        return paired_variance(total), True
    return sum((weight * error) ** 2 for weight, error, _ in terms), False


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
        best, native, difference, low, high, is_paired, verdict = found
        paired.append(is_paired)
        unit = "of the noise ceiling" if line.ceiling and line.ceiling[1] < 1 else "raw correlation"
        parts.append(
            f"{best.place} classes for {panel.title} ({best.value:.2f} {unit}, {difference:+.2f} against native, "
            f"95% interval {low:+.2f} to {high:+.2f}: {verdict}{'' if verdict == UNDECIDED else ' native'})"
        )
        verdicts.append(verdict)
        seeds |= {best.seeds, native.seeds}
    if not parts:
        return None
    if set(verdicts) == {UNDECIDED}:
        head = "<strong>it is not decided</strong> whether few coarse classes align as well as the native ones"
    elif len(set(verdicts)) == 1:
        head = f"networks trained on few coarse classes align <strong>{verdicts[0]}</strong> native ones"
    else:
        head = "whether few coarse classes align as well as native ones depends on the measurement scale"
    over = "images" if seeds == {1} else "images and seeds"
    pairing = (
        "of paired differences, because all networks saw the same images"
        if all(paired)
        else "and treat scores on the same images as independent, which is too wide"
    )
    margin = (
        f" As well as: within {MARGIN:.0%} of what native training adds to an untrained network with fitted statistics."
    )
    one = " There is one seed of each network." if seeds == {1} else ""
    return f"On measured brains, {head}: best are {_join(parts)}. Intervals are over {over}, {pairing}.{margin}{one}"


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
