"""The answer in one sentence, computed from the curves."""

from __future__ import annotations

import math
from statistics import NormalDist

from .curves import Line, Panel, Point
from .measures import SCALES


def against_native(line: Line) -> tuple[Point, Point, float, float, float] | None:
    """The best number of classes of a line against the native classes.

    The standard error of the difference adds the stimulus errors of both as if they were independent, and the spread
    of the seeds: both saw the same stimuli, so that the interval is at most too wide. It is widened for the choice of
    the best among several numbers of classes (Bonferroni).

    Returns
    -------
    best, native, difference, low, high; None where the line lacks one of the two or their errors are not known.
    """
    native = next((p for p in line.means if p.place == "native"), None)
    coarse = [p for p in line.means if isinstance(p.place, int)]
    if native is None or not coarse:
        return None
    best = max(coarse, key=lambda p: p.value)
    error = math.sqrt(sum(p.error**2 + p.spread**2 / p.seeds for p in (best, native)))
    if math.isnan(error):
        return None
    width = NormalDist().inv_cdf(1 - 0.025 / len(coarse)) * error
    difference = best.value - native.value
    return best, native, difference, difference - width, difference + width


def measured(panels: list[Panel], family: str) -> str | None:
    """One sentence on the measured brains of one family of networks."""
    parts, verdicts, seeds = [], [], set()
    for panel in panels:
        if panel.family != family or panel.simulated or panel.title not in SCALES:
            continue
        line = next((line for line in panel.lines if not line.is_control), None)
        found = line and against_native(line)
        if not found:
            continue
        best, native, difference, low, high = found
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
    one = "; one seed of each network" if seeds == {1} else ""
    return f"On measured brains, {head}: best are {_join(parts)}{one}."


def simulated(panels: list[Panel]) -> str | None:
    """One sentence on the simulated brains whose answer is known."""
    parts = []
    for panel in panels:
        if not panel.simulated or panel.title != "IT":
            continue
        for line in panel.lines:
            trained = [p for p in line.means if p.place != "untrained"]
            best = max(trained, key=lambda p: p.value, default=None)
            if line.is_control or best is None or not best.low > 0:
                continue
            classes = "the native classes" if best.place == "native" else f"{best.place} classes"
            parts.append(
                f"the {line.name} is best matched by networks trained on <strong>{classes}</strong> "
                f"({best.value:.2f} of its noise ceiling, 95% interval {best.low:.2f} to {best.high:.2f})"
            )
    return f"On simulated brains, whose answer is known, {_join(parts)}." if parts else None


def _join(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
