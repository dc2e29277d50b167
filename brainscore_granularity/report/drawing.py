"""One panel as SVG: alignment against the number of classes. Colours come from the style sheet of the page.

Every mark carries its positions and values, so that the page's script can move it to another scale or axis without
drawing it again: `data-p` holds "slot:value:raw" for each of its points.
"""

from __future__ import annotations

import html
import math

from . import conditions
from .conditions import ENDS, GOALS, NATIVE, PERMUTED, RANDOM, STARTS
from .curves import Line, Panel, Point
from .summary import number

WIDTH, HEIGHT = 320, 236
LEFT, RIGHT, TOP, BOTTOM = 38, 10, 12, 40
APART = 46  # pixels between places without a number of classes
SHAPES = ("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", "M-3.5-3.5h7v7h-7z", "M0-4.5L4.4 3.5H-4.4z", "M0-5L5 0 0 5-5 0z")
CONTROL_SHAPES = {RANDOM: "M-3.5-3.5L3.5 3.5M-3.5 3.5L3.5-3.5", PERMUTED: "M0-4.5V4.5M-4.5 0H4.5"}


def domains(panels: list[Panel]) -> dict[str, tuple[float, float]]:
    """Common ranges of the vertical axis for panels that are shown side by side."""
    found = {}
    for key, low, high in (("value", "low", "high"), ("raw", "raw_low", "raw_high")):
        values = [0.0]
        for line in (line for panel in panels for line in panel.lines):
            values += [getattr(p, name) for p in line.means for name in (key, low, high)]
            values += [getattr(p, key) for p in (*line.seeds, *line.subjects)]
            if line.ceiling and line.ceiling[1] < 1:
                values.append(1.0 if key == "value" else line.ceiling[1])
        values = [v for v in values if not math.isnan(v)]
        span = (max(values) - min(values)) or 1.0
        found[key] = min(values) - 0.04 * span, max(values) + 0.06 * span
    return found


def draw(panel: Panel, domain: dict[str, tuple[float, float]], native: int | None = None) -> str:
    """SVG element of a panel. native : number of native classes, where it is known."""
    slots = conditions.places_in_order(point.place for line in panel.lines for point in line.means)
    xs = {"log": _positions(slots, math.log2), "lin": _positions(slots, float)}
    y = scale(*domain["value"])
    parts = [_axes(slots, xs, domain, native), _ceilings(panel, domain)]
    for i, line in enumerate(panel.lines):
        parts.append(f'<g class="{css_class(line)} s{i}" data-line="{html.escape(line.name)}">')
        parts.append(_line(line, slots, xs["log"], y, shape(line, i)))
        parts.append("</g>")
    name = f"{panel.title}, {panel.family}: alignment against classes. The table below has the numbers."
    data = " ".join(f'data-x-{key}="{",".join(f"{x:.1f}" for x in at)}"' for key, at in xs.items())
    ranges = " ".join(f'data-y-{key}="{low:.5g},{high:.5g}"' for key, (low, high) in domain.items())
    return (
        f'<svg class="panel" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(name)}" '
        f"{data} {ranges}>{''.join(parts)}</svg>"
    )


def css_class(line: Line) -> str:
    """CSS classes that give a line its colour."""
    return f"line c-{'control' if line.is_control else html.escape(line.colour)}"


def shape(line: Line, i: int) -> str:
    """SVG path of the marks of line ``i`` of a panel."""
    return CONTROL_SHAPES.get(conditions.control(line.source), SHAPES[i % len(SHAPES)])


def _line(line, slots, x, y, shape: str) -> str:
    curve = [p for p in line.means if p.place not in ENDS]
    banded = [p for p in curve if not math.isnan(p.low)]
    out = []
    if len(banded) > 1:
        upper = [(p.place, p.high, p.raw_high) for p in banded]
        lower = [(p.place, p.low, p.raw_low) for p in reversed(banded)]
        out.append(poly("polygon", "band", [*upper, *lower], slots, x, y))
    if len(curve) > 1:
        out.append(poly("polyline", "curve", [(p.place, p.value, p.raw) for p in curve], slots, x, y))
    for subject in dict.fromkeys(p.of for p in line.subjects):
        own = [(p.place, p.value, p.raw) for p in line.subjects if p.of == subject]
        out.append(poly("polyline", "subject", own, slots, x, y, f"{line.name}, subject {subject}", 3))
    for p in line.means:
        if (p.place in ENDS or len(banded) < 2) and not math.isnan(p.low):
            out.append(poly("polyline", "whisker", [(p.place, p.low, p.raw_low), (p.place, p.high, p.raw_high)],
                             slots, x, y))  # fmt: skip
    for kind, points in (("mean", line.means), ("seed", line.seeds)):
        for p in points:
            at = f"translate({x[slots.index(p.place)]:.1f} {y(p.value):.1f})"
            tip = html.escape(_tip(line.name, p))
            mark = shape if kind == "mean" else "M-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0z"
            out.append(f'<path class="{kind}" d="{mark}" transform="{at}" data-p="{data([(p.place, p.value, p.raw)], slots)}">'
                       f"<title>{tip}</title></path>")  # fmt: skip
    return "".join(out)


def _tip(name: str, p: Point) -> str:
    where = f"{p.place} classes" if isinstance(p.place, int) else p.place
    if p.of:
        return f"{name}, {where}, seed {p.of}: {number(p.value)} (raw {number(p.raw)})"
    interval = "" if math.isnan(p.low) else f", 95% interval {number(p.low)} to {number(p.high)}"
    return f"{name}, {where}: {number(p.value)}{interval}; raw {number(p.raw)}; {p.seeds} seed{'s' * (p.seeds > 1)}"


def poly(tag: str, kind: str, points: list[tuple], slots, x, y, tip: str = "", digits: int = 4) -> str:
    at = " ".join(f"{x[slots.index(place)]:.1f},{y(value):.1f}" for place, value, _ in points)
    title = f"<title>{html.escape(tip)}</title>" if tip else ""
    return f'<{tag} class="{kind}" points="{at}" data-p="{data(points, slots, digits)}">{title}</{tag}>'


def data(points: list[tuple], slots, digits: int = 4) -> str:
    """Positions and values of a mark, for the page's script."""
    return " ".join(f"{slots.index(place)}:{value:.{digits}g}:{raw:.{digits}g}" for place, value, raw in points)


def _positions(slots: list, scale) -> list[float]:
    """Horizontal position of each slot; conditions without a number of classes stand apart at the sides."""
    left, right = LEFT + 14.0, WIDTH - RIGHT - 14.0
    starts, goals = ([slot for slot in slots if slot in side] for side in (STARTS, GOALS))
    beside = {slot: left + i * APART for i, slot in enumerate(starts)}
    beside |= {slot: right - i * APART for i, slot in enumerate(reversed(goals))}
    inner_left = left + (APART * len(starts) - 10 if starts else 0)
    inner_right = right - (APART * len(goals) - 10 if goals else 0)
    numbers = [scale(s) for s in slots if s not in ENDS]
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    at = []
    for slot in slots:
        if slot in beside:
            at.append(beside[slot])
        else:
            share = (scale(slot) - low) / (high - low) if high > low else 0.5
            at.append(inner_left + share * (inner_right - inner_left))
    return at


def scale(low: float, high: float):
    return lambda value: TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)


def ticks(low: float, high: float) -> list[float]:
    """Round numbers within a range, three to seven of them.

    >>> ticks(-0.1, 1.06)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = high - low
    step = next(s for k in range(-6, 9) for s in (10.0**k, 2 * 10.0**k, 5 * 10.0**k) if span / s <= 6.5)
    return [round(i * step, 9) + 0 for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def vertical_axis(domain) -> str:
    """Grid and numbers of both scales (value and raw); the style sheet shows one of them."""
    out = []
    for key, (low, high) in domain.items():
        y, lines = scale(low, high), []
        for tick in ticks(low, high):
            kind = "zero" if tick == 0 else "grid"
            lines.append(f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
                         f'<text x="{LEFT - 5}" y="{y(tick) + 3.5:.1f}" text-anchor="end">{tick:g}</text>')  # fmt: skip
        out.append(f'<g class="axis only-{key}">{"".join(lines)}</g>')
    return "".join(out)


def _axes(slots, xs, domain, native) -> str:
    out = [vertical_axis(domain)]
    for key, at in xs.items():
        labels, last = [], -math.inf
        for slot, x in zip(slots, at, strict=True):
            text = str(slot)
            if slot not in ENDS and x - last < 6 + 5.5 * len(text):
                continue
            last = x if slot not in ENDS else last
            outermost = slot in GOALS and slot == slots[-1]
            anchor, x = ("end", x + 12) if outermost else ("middle", x)
            below = f'<tspan x="{x:.1f}" dy="12">{native}</tspan>' if slot == NATIVE and native else ""
            labels.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="{anchor}">{text}{below}</text>')
        out.append(f'<g class="axis only-{key}">{"".join(labels)}</g>')
    out.append(
        f'<text class="label" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">classes</text>'
    )
    return "".join(out)


def _ceilings(panel: Panel, domain) -> str:
    """Noise ceilings: a line at 1 and a band down to the lower bound; on the raw scale, in raw units, one per brain."""
    known = list(dict.fromkeys(line.ceiling for line in panel.lines if line.ceiling and line.ceiling[1] < 1))
    if not known:
        return f'<text class="note" x="{LEFT + 4}" y="{TOP + 2}">ceiling not known: raw correlation</text>'
    out = []
    for key in domain:
        y, marks = scale(*domain[key]), []
        for lower, upper in known:
            bounds = (lower / upper, 1.0) if key == "value" else (lower, upper)
            top, bottom = y(bounds[1]), y(bounds[0])
            width, x = WIDTH - LEFT - RIGHT, LEFT
            if len(known) == 1:
                marks.append(
                    f'<rect class="ceiling" x="{x}" y="{top:.1f}" width="{width}" height="{bottom - top:.1f}"/>'
                )
            marks.append(f'<line class="ceiling" x1="{x}" x2="{x + width}" y1="{top:.1f}" y2="{top:.1f}"/>')
        text = f'<text class="note" x="{LEFT + 4}" y="{y(1.0 if key == "value" else max(k[1] for k in known)) - 3:.1f}">noise ceiling</text>'
        out.append(f'<g class="only-{key}">{"".join(marks)}{text}</g>')
    return "".join(out)
