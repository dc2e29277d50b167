"""How does alignment grow along classes, images, compute and accuracy?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainscore_granularity.report import style
from brainscore_granularity.runner import results

from .. import drawing
from ..base import Analysis, Findings, NotApplicable
from ..scaling import axis as along
from ..scaling.table import TooFewPoints
from .agreement import records

LAWS = ("log-linear", "free")  # the first is drawn and gives the answer; the second has E and alpha, if identified
AXIS_NAMES = {
    "classes": "classes in training, K",
    "images_per_class": "training images per class",
    "samples_seen": "images seen",
    "total_flops": "training compute, FLOPs",
    "accuracy": "accuracy on held-out images",
}


def run(study) -> Findings:
    table = results.table([record for record in records(study) if record["status"] == "ok"])
    if not len(table):
        raise NotApplicable(
            f"needs scores in {study.results}; `granularity score` with the same --models, --benchmarks and --results "
            "makes them"
        )
    settings, parameters, points, curves = study.settings, [], [], []
    for axis in along.AXES:
        for law in LAWS:
            try:
                fits = along.over_axis(table, axis, law, settings.resamples, settings.seed)
            except TooFewPoints:
                continue
            for found in fits:
                parameters += _parameters(found, law)
                if law == LAWS[0] and found.fit is not None:
                    points += _points(found)
                    curves += _curve(found)
    if not curves:
        raise NotApplicable(
            f"no curve has enough points: {len(table['model'].unique())} scored models; a law needs three different "
            f"values of one of {', '.join(along.AXES)}"
        )
    tables = {"parameters": pd.DataFrame(parameters), "points": pd.DataFrame(points), "curves": pd.DataFrame(curves)}
    found = tables["parameters"]
    without = found[(found["law"] == LAWS[0]) & (found["note"] != "")]
    named = dict.fromkeys(f"{row.labels} over {_words(row.axis)}" for row in without.itertuples())
    notes = [f"no curve, for the reasons in the table of parameters: {', '.join(named)}"] if named else []
    if (table.groupby(["family", "labels", "k"], dropna=False)["seed"].nunique() < 2).all():
        notes.append("one seed per network: intervals resample networks and do not cover seeds")
    return Findings(tables, _answer(found), notes)


def _named(found) -> dict:
    return {"axis": found.axis, "labels": found.labels, "benchmark": found.benchmark}


def _parameters(found, law: str) -> list[dict]:
    known = _named(found) | {"law": law, "models": found.models, "simulated": found.simulated, "note": found.note}
    if found.fit is None:
        return [known | dict.fromkeys(("parameter", "value", "low", "high", "identified"))]
    rows = []
    for name, value in found.fit.parameters.items():
        if name not in ("e", "a"):  # logarithms of E and A
            low, high = found.bootstrap.interval(name)
            rows.append(known | {"parameter": name, "value": value, "low": low, "high": high,
                                 "identified": found.ranges[name].identified})  # fmt: skip
    return rows


def _points(found) -> list[dict]:
    points = found.fit.points
    return [
        _named(found) | {"model": str(model), "x": x * points.scale[0], "misalignment": loss}
        for model, x, loss in zip(points.models, points.x, points.loss, strict=True)
    ]


def _curve(found) -> list[dict]:
    points = found.fit.points
    x = np.geomspace(points.x.min(), points.x.max(), 30)
    low, high = found.bootstrap.band(x)
    columns = zip(x * points.scale[0], found.fit.predict(x), low, high, strict=True)
    return [_named(found) | dict(zip(("x", "misalignment", "low", "high"), row, strict=True)) for row in columns]


def _answer(parameters) -> str:
    """The change per doubling on each benchmark, for curves with an interval that excludes 0; others are only named."""
    found = parameters[(parameters["law"] == LAWS[0]) & (parameters["parameter"] == "k")]
    sure, open_ = [], []
    for (axis, labels), rows in found.groupby(["axis", "labels"], sort=False):
        curve, changes = f"{_words(axis)} ({labels})", rows[["value", "low", "high"]] * np.log(2)
        if not ((rows["low"] > 0) | (rows["high"] < 0)).any():
            open_.append(curve)
            continue
        told = ", ".join(f"{name} {c.value:+.3f} ({c.low:+.3f} to {c.high:+.3f})"
                         for name, c in zip(rows["benchmark"], changes.itertuples(), strict=True))  # fmt: skip
        sure.append(f"over {curve}: {told}")
    said = f"Change of the score per doubling, with 95% intervals over networks, {'; '.join(sure)}." if sure else ""
    return " ".join(filter(None, (said, f"Not told from 0 on any benchmark: {', '.join(open_)}." if open_ else "")))


def _words(axis: str) -> str:
    return axis.replace("_", " ").replace("flops", "FLOPs")


def draw(findings) -> dict:
    points, curves = findings.tables["points"], findings.tables["curves"]
    figures = {}
    for axis in dict.fromkeys(curves["axis"]):
        figures[f"scaling_{axis}"] = (
            _figure(points[points["axis"] == axis], curves[curves["axis"] == axis], axis),
            f"Misalignment (1 - score) over {AXIS_NAMES[axis]}: dots are networks; line and band are the "
            "log-linear law and its 95% interval over networks.",
        )
    return figures


def _figure(points, curves, axis: str):
    benchmarks = list(dict.fromkeys(curves["benchmark"]))
    columns = min(3, len(benchmarks))
    rows = -(-len(benchmarks) // columns)
    colours = [style.COLOURS[name] for name in ("fMRI", "spiking", "behaviour", "V1", "fine")]
    with drawing.pyplot() as plt:
        figure, axes = plt.subplots(
            rows, columns, figsize=(2.4 * columns, 2.0 * rows + 0.4), squeeze=False, sharex=True, sharey=True
        )
        for panel in axes.flat[len(benchmarks) :]:
            panel.set_axis_off()
        for panel, benchmark in zip(axes.flat, benchmarks, strict=False):
            for i, labels in enumerate(dict.fromkeys(curves["labels"])):
                own, curve = (t[(t["benchmark"] == benchmark) & (t["labels"] == labels)] for t in (points, curves))
                if len(curve):
                    colour = colours[i % len(colours)]
                    panel.fill_between(curve["x"], curve["low"], curve["high"], color=colour, alpha=0.18, linewidth=0)
                    panel.plot(curve["x"], curve["misalignment"], color=colour, linewidth=1, label=labels)
                    panel.plot(own["x"], own["misalignment"], "o", color=colour, markersize=3)
            panel.set_xscale("log")
            panel.set_title(benchmark)
        for panel in axes[:, 0]:
            panel.set_ylabel("misalignment")
        figure.supxlabel(AXIS_NAMES[axis], fontsize=7, y=0.19 / rows)
        drawing.legend_below(figure, axes[0, 0], columns=4, bottom=0.16 / rows)
    return figure


ANALYSIS = Analysis(
    name="scaling",
    question="How does alignment grow along classes, images, compute and accuracy?",
    how_to_read=(
        "Misalignment is 1 minus the score. Each curve is one law fitted to the networks of one source of labels or "
        "one architecture; resamples of networks give the interval. The log-linear law L = c - k log X is drawn, and "
        "its k times log 2 is the change per doubling. The table also has the free law L = E + A X^-alpha, whose "
        "parameters are given as identified only where the profile likelihood excludes other values. Axes vary "
        "together (more images mean more steps), so a slope along one of them need not be an effect of that one."
    ),
    run=run,
    draw=draw,
    needs=(),
    inputs=records,
)
