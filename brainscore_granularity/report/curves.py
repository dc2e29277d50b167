"""From scores to curves: one line per label source, one point per number of classes, with its seeds and subjects."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from brainscore_granularity.runner import results
from brainscore_granularity.runner.record import resampled_of

from . import conditions, measures
from .conditions import ENDS

_NUMBERS = ("value", "low", "high", "raw", "raw_low", "raw_high", "error")


@dataclass(frozen=True)
class Point:
    """One network (a seed), one subject, or the mean of seeds; see `conditions.Condition.place`."""

    place: str | int
    value: float
    raw: float
    low: float = float("nan")
    high: float = float("nan")
    raw_low: float = float("nan")
    raw_high: float = float("nan")
    error: float = float("nan")
    of: str = ""  # the seed or subject
    seeds: int = 1
    spread: float = 0.0  # standard deviation of the seeds' values
    resampled: np.ndarray | None = field(default=None, compare=False)  # mean on each resample of the stimuli


@dataclass
class Line:
    """One label source (or simulated brain): means over seeds, the seeds, and the subjects."""

    name: str
    source: str  # label source
    colour: str
    means: list[Point] = field(default_factory=list)
    seeds: list[Point] = field(default_factory=list)
    subjects: list[Point] = field(default_factory=list)
    ceiling: tuple[float, float] | None = None  # raw ceiling, lower and upper bound; None if one is not known

    @property
    def is_control(self) -> bool:
        return conditions.control(self.source) is not None


@dataclass
class Panel:
    """One measurement scale, or one benchmark, for one family of networks."""

    family: str
    title: str
    benchmarks: list[str]
    simulated: bool
    lines: list[Line]
    left_out: int = 0  # networks that lack some of the benchmarks


def scored(records: Iterable[dict]) -> pd.DataFrame:
    """One row per score of a network with a place on the axis of classes; failed scores are left out."""
    table = results.table(list(records))
    if table.empty:
        return table
    known = [conditions.condition(labels, k) for labels, k in zip(table["labels"], table["k"], strict=True)]
    table["place"] = [found and found.place for found in known]
    table = table[(table["status"] == "ok") & table["place"].notna()].copy()
    scale = (table["raw"] / table["value"]).where(table["value"] != 0, 1.0).fillna(1.0)
    table["raw"] = table["raw"].fillna(table["value"])
    table = table.rename(columns={"interval_low": "low", "interval_high": "high"})
    return table.assign(raw_low=table["low"] * scale, raw_high=table["high"] * scale)


def by_scale(records: list[dict]) -> list[Panel]:
    """One panel per family and measurement scale (or simulated region); the benchmarks of a scale are averaged."""
    return _panels(records, lambda name: measures.measure(name).panel, skip=measures.OTHER)


def by_benchmark(records: list[dict]) -> list[Panel]:
    """One panel per family and benchmark."""
    return _panels(records, lambda name: name)


def _panels(records: list[dict], title_of, skip: str | None = None) -> list[Panel]:
    table = scored(records)
    if table.empty:
        return []
    known = {(r["model"], r["benchmark"]): r for r in records}
    table["title"] = table["benchmark"].map(title_of)
    table["simulated"] = table["simulated"].astype(bool)
    panels = []
    for (family, title, simulated), rows in table.groupby(["family", "title", "simulated"], sort=False):
        if title == skip:
            continue
        panels.append(_panel(family, title, simulated, rows, known))
    rank = {title: i for i, title in enumerate(measures.order(panel.title for panel in panels))}
    return sorted(panels, key=lambda panel: (panel.simulated, panel.family, rank[panel.title], panel.title))


def _panel(family: str, title: str, simulated: bool, rows: pd.DataFrame, known: dict) -> Panel:
    measured = {name: measures.measure(name) for name in rows["benchmark"].unique()}
    panel = Panel(family, title, list(measured), simulated, [])
    rows = rows.assign(brain=[measured[name].line or "" for name in rows["benchmark"]])
    for brain, own in rows.groupby("brain", sort=False):
        complete = _complete(own)
        panel.left_out += own["model"].nunique() - complete["model"].nunique()
        colour = measured[own["benchmark"].iloc[0]].colour
        sources = [s for s in dict.fromkeys(complete["labels"]) if s not in ENDS]
        ends = complete[complete["labels"].isin(ENDS)]
        for source in sorted(sources, key=conditions.source_rank) or [conditions.NATIVE]:
            mine = complete[complete["labels"] == source]
            if source not in sources:
                mine = ends
            elif source == _main(sources):
                mine = pd.concat([mine, ends])
            panel.lines.append(_line(_name(brain, source, sources), source, colour, mine, known))
            panel.lines[-1].ceiling = _ceiling(complete)
    return panel


def _main(sources: list[str]) -> str | None:
    """The source whose line also shows the networks of no one source (untrained, native); None if all are controls."""
    return min(filter(conditions.is_coarse, sources), key=conditions.source_rank, default=None)


def _name(brain: str, source: str, sources: list[str]) -> str:
    if not brain:
        return source
    several = sum(map(conditions.is_coarse, sources)) > 1
    return f"{brain}, {source}" if conditions.control(source) or several else brain


def _line(name: str, source: str, colour: str, rows: pd.DataFrame, known: dict) -> Line:
    line = Line(name, source, colour)
    columns = ["place", "seed", "model", "benchmark", *_NUMBERS]
    by_place: dict = {}  # plain lists: pandas would take ten times as long for these small groups
    for row in zip(*(rows[column].tolist() for column in columns), strict=True):
        by_place.setdefault(row[0], {}).setdefault(row[1], []).append(row)
    one_benchmark = rows["benchmark"].nunique() == 1
    for place in conditions.places_in_order(by_place):
        seeds = {seed: _means(scores) for seed, scores in by_place[place].items()}
        numbers = dict(zip(_NUMBERS, (_mean(values) for values in zip(*seeds.values(), strict=True)), strict=True))
        values = [found[0] for found in seeds.values()]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        drawn = _resampled(by_place[place], known)
        line.means.append(Point(place, **numbers, seeds=len(seeds), spread=spread, resampled=drawn))
        line.seeds += [Point(place, found[0], found[3], of=f"{seed:g}") for seed, found in seeds.items()]
        if one_benchmark:  # only then: a mean over benchmarks has no subjects
            scores = [row for own in by_place[place].values() for row in own]
            line.subjects += _subjects(scores, place, known)
    return line


def _means(scores: list[tuple]) -> list[float]:
    return [_mean(values) for values in zip(*(row[4:] for row in scores), strict=True)]


def _mean(values) -> float:
    """Mean of the known values; NaN if there are none."""
    known = [v for v in values if v == v]
    return sum(known) / len(known) if known else math.nan


def _resampled(seeds: dict, known: dict) -> np.ndarray | None:
    """Mean over seeds and benchmarks on each resample of the stimuli; None unless all scores have theirs."""
    found = [resampled_of(known[row[2], row[3]]) for own in seeds.values() for row in own]
    if any(values is None for values in found) or len({values.shape[-1] for values in found}) != 1:
        return None
    if any(values.ndim == 2 for values in found):  # the others have no surplus
        found = [values if values.ndim == 2 else np.stack([values, np.zeros_like(values)]) for values in found]
    each = iter(found)
    return np.mean([np.mean([next(each) for _ in own], axis=0) for own in seeds.values()], axis=0)


def _subjects(scores: list[tuple], place, known: dict) -> list[Point]:
    """Mean over seeds of each subject's score; records hold raw scores."""
    found: dict[str, list[float]] = {}
    scales = []
    for _, _, model, benchmark, value, _, _, score, *_ in scores:
        scales.append(value / score if score else 1.0)
        for subject, raw in (known[model, benchmark].get("subject_scores") or {}).items():
            if raw is not None:
                found.setdefault(subject, []).append(raw)
    scale = _mean(scales)
    if len(found) < 2:
        return []
    return [Point(place, _mean(raws) * scale, _mean(raws), of=subject) for subject, raws in found.items()]


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of networks that have all benchmarks that half of the networks have; the others would shift the mean."""
    if rows["benchmark"].nunique() == 1:
        return rows
    counts = rows.groupby("benchmark")["model"].nunique()
    wanted = counts.index[counts * 2 >= rows["model"].nunique()]
    rows = rows[rows["benchmark"].isin(wanted)]
    has = rows.groupby("model")["benchmark"].nunique()
    return rows[rows["model"].isin(has.index[has == len(wanted)])]


def _ceiling(rows: pd.DataFrame) -> tuple[float, float] | None:
    bounds = rows.groupby("benchmark")[["ceiling_lower", "ceiling_upper"]].first()
    if bounds.isna().any(axis=None):
        return None
    return float(bounds["ceiling_lower"].mean()), float(bounds["ceiling_upper"].mean())


def tidy(panels: Iterable[Panel]) -> pd.DataFrame:
    """The numbers of the panels: one row per mean, seed or subject."""
    rows = []
    for panel in panels:
        for line in panel.lines:
            for kind, points in (("mean", line.means), ("seed", line.seeds), ("subject", line.subjects)):
                for point in points:
                    rows.append(
                        {
                            "family": panel.family, "panel": panel.title, "benchmarks": " ".join(panel.benchmarks),
                            "simulated": panel.simulated, "line": line.name, "classes": point.place, "kind": kind,
                            "of": point.of, "seeds": point.seeds if kind == "mean" else None, "value": point.value,
                            "low": point.low, "high": point.high, "raw": point.raw, "raw_low": point.raw_low,
                            "raw_high": point.raw_high,
                        }
                    )  # fmt: skip
    return pd.DataFrame(rows)
