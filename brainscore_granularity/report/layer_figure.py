"""One panel per benchmark: the score of every layer, early to late, with one line per number of classes K.

This needs scores made with ``granularity score --layers all``.
"""

from __future__ import annotations

import html
import math
from collections import Counter
from dataclasses import dataclass, replace

import pandas as pd

from brainscore_granularity.runner import results

from . import conditions, drawing, embed, style
from .conditions import Condition
from .summary import number

esc = html.escape


@dataclass(frozen=True)
class Profile:
    """Scores of a condition's layers, mean over its seeds; ``committed``: the layers that its seeds have committed."""

    condition: Condition
    look: str  # CSS class
    values: list[float]
    raws: list[float]
    committed: frozenset[int]
    seeds: int


@dataclass(frozen=True)
class LayerPanel:
    family: str
    benchmark: str
    simulated: bool
    layers: list[str]
    profiles: list[Profile]


def panels(records: list[dict]) -> list[LayerPanel]:
    """One panel per family and benchmark, with the networks whose layers are those of most networks of the family."""
    groups: dict[tuple, list[dict]] = {}
    for record in records:
        if record["status"] == "ok" and record.get("layers") and conditions.of(record["model"]):
            family = results.describe(record["model"])["family"]
            groups.setdefault((family, record["benchmark"]), []).append(record)
    return [_panel(family, benchmark, own) for (family, benchmark), own in groups.items()]


def _panel(family: str, benchmark: str, records: list[dict]) -> LayerPanel:
    (layers, _), *_ = Counter(tuple(r["layers"]) for r in records).most_common(1)
    by_condition: dict[Condition, list[dict]] = {}
    for record in records:
        if tuple(record["layers"]) == layers:
            by_condition.setdefault(conditions.of(record["model"]), []).append(record)
    profiles = [_profile(found, by_condition[found], layers) for found in conditions.in_order(by_condition)]
    return LayerPanel(family, benchmark, any(r.get("simulated") for r in records), [*layers], profiles)


def _profile(found: Condition, records: list[dict], layers: tuple) -> Profile:
    def mean(layer, key):
        found = [r["layers"][layer].get(key) for r in records]
        known = [v for v in found if v is not None]
        return sum(known) / len(known) if known else math.nan

    beside = found.labels if found.labels in conditions.STARTS else conditions.NATIVE
    look = f"k{style.step(found.k)}" if found.k else beside
    look = "control" if conditions.control(found.labels) else look
    own = frozenset(layers.index(r["layer"]) for r in records if r.get("layer") in layers)
    raws = [mean(layer, "raw") for layer in layers]
    return Profile(found, look, [mean(layer, "value") for layer in layers], raws, own, len(records))


def section(records: list[dict]) -> str:
    """All panels, with one legend per family, and their numbers to download; empty without scores of layers."""
    out = []
    groups: dict[tuple, list[LayerPanel]] = {}
    for panel in panels(records):
        groups.setdefault((panel.simulated, panel.family), []).append(panel)
    for (simulated, family), own in sorted(groups.items()):
        domain = _domain(own)
        table = tidy(own)
        own = [of_one_source(panel) for panel in own]
        drawn = "".join(
            f"<figure><h4>{esc(p.benchmark.replace('-rsa', ''))}</h4>{draw(p, domain)}</figure>" for p in own
        )
        mark = ' <span class="tag">simulated</span>' if simulated else ""
        out.append(
            f"<h3>{esc(family)}{mark}</h3>{_legend(own)}<div class='panels small'>{drawn}</div>"
            f"<p>{embed.csv_link(table, f'layers_{family}', 'the numbers of all sources of labels', digits=6)}</p>"
        )
    return "".join(out)


def of_one_source(panel: LayerPanel) -> LayerPanel:
    """The panel without controls and with one label source only, because more lines could not be told apart."""
    coarse = (p.condition.labels for p in panel.profiles if conditions.is_coarse(p.condition.labels))
    shown = {*conditions.ENDS, min(coarse, key=conditions.source_rank, default=None)}
    return replace(panel, profiles=[profile for profile in panel.profiles if profile.condition.labels in shown])


def draw(panel: LayerPanel, domain: dict[str, tuple[float, float]]) -> str:
    """SVG element of a panel."""
    left, right = drawing.LEFT + 10, drawing.WIDTH - drawing.RIGHT - 10
    n = len(panel.layers)
    xs = [left + (right - left) * (i + 0.5) / n for i in range(n)]
    y = drawing.scale(*domain["value"])
    parts = [drawing.vertical_axis(domain), _layer_names(panel.layers, xs)]
    for profile in panel.profiles:
        points = [(i, v, r) for i, (v, r) in enumerate(zip(profile.values, profile.raws, strict=True)) if v == v]
        if not points:
            continue
        told = ", ".join(f"{panel.layers[i]} {number(value)}" for i, value, _ in points)
        marks = [drawing.poly("polyline", "curve", points, range(n), xs, y, f"{profile.condition.label}: {told}")]
        for i, value, raw in (point for point in points if point[0] in profile.committed):
            tip = f"{profile.condition.label}, {panel.layers[i]}, committed: {number(value)}; raw {number(raw)}"
            marks.append(
                f'<path class="mean" d="{drawing.SHAPES[0]}" transform="translate({xs[i]:.1f} {y(value):.1f})" '
                f'data-p="{drawing.data([(i, value, raw)], range(n))}"><title>{esc(tip)}</title></path>'
            )
        parts.append(f'<g class="line k-{profile.look}">{"".join(marks)}</g>')
    at = ",".join(f"{x:.1f}" for x in xs)
    ranges = " ".join(f'data-y-{key}="{low:.5g},{high:.5g}"' for key, (low, high) in domain.items())
    name = f"{panel.benchmark}, {panel.family}: score of every layer. The table to download has the numbers."
    return (
        f'<svg class="panel" viewBox="0 0 {drawing.WIDTH} {drawing.HEIGHT}" role="img" aria-label="{esc(name)}" '
        f'data-x-log="{at}" data-x-lin="{at}" {ranges}>{"".join(parts)}</svg>'
    )


def tidy(own: list[LayerPanel]) -> pd.DataFrame:
    """The numbers of the panels: one row per benchmark, condition and layer."""
    return pd.DataFrame(
        [
            {"family": p.family, "benchmark": p.benchmark, "simulated": p.simulated, "condition": profile.condition.label,
             "layer": layer, "value": profile.values[i], "raw": profile.raws[i], "seeds": profile.seeds,
             "committed": i in profile.committed}
            for p in own for profile in p.profiles for i, layer in enumerate(p.layers)
        ]
    )  # fmt: skip


def _domain(own: list[LayerPanel]) -> dict[str, tuple[float, float]]:
    found = {}
    for key, attribute in (("value", "values"), ("raw", "raws")):
        values = [0.0, *(v for p in own for profile in p.profiles for v in getattr(profile, attribute) if v == v)]
        span = (max(values) - min(values)) or 1.0
        found[key] = min(values) - 0.04 * span, max(values) + 0.06 * span
    return found


def _layer_names(layers: list[str], xs: list[float]) -> str:
    """Layer names below the axis: slanted, and only as many as fit."""
    every = -(-len(layers) // 16)
    at = drawing.HEIGHT - drawing.BOTTOM + 8
    names = "".join(
        f'<text x="{x:.1f}" y="{at}" text-anchor="end" transform="rotate(-40 {x:.1f} {at})">{esc(name)}</text>'
        for i, (name, x) in enumerate(zip(layers, xs, strict=True))
        if i % every == 0
    )
    return f'<g class="axis">{names}</g>'


def _legend(own: list[LayerPanel]) -> str:
    known = {profile.condition: profile for panel in own for profile in panel.profiles}
    items = [
        f'<li class="line k-{p.look}"><svg viewBox="-16 -8 32 16" aria-hidden="true"><path class="curve" d="M-16 0H16"/></svg> '
        f'<span style="color:var(--ink)">{esc(p.condition.label)}</span>'
        for p in map(known.get, conditions.in_order(known))
    ]
    return f'<ul class="legend">{"".join(items)}</ul>'
