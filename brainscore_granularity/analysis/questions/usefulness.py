"""Aligned but useless? What can be read out of a network."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from brainscore_granularity.report import style
from brainscore_granularity.report.conditions import STARTS
from brainscore_granularity.threads import in_threads

from .. import drawing
from ..base import Analysis, Findings, NotApplicable
from ..measures import usefulness

EPISODES = 20


def run(study) -> Findings:
    if study.labels is None:
        raise NotApplicable("needs images whose class is known: add --images, a folder <class>/<image>")
    fewest = int(np.unique(study.labels, return_counts=True)[1].min())
    shots = tuple(k for k in usefulness.SHOTS if k < fewest)
    rows = []
    for model in study.models:
        found = in_threads(partial(_layer, study, shots, model), study.layers)
        rows += [table.assign(**study.describe(model), layer=layer)
                 for layer, table in zip(study.layers, found, strict=True)]  # fmt: skip
        study.say(f"usefulness: {model}")
    table = pd.concat(rows, ignore_index=True)
    table = table[["model", "labels", "k", "seed", "layer", "task", "shots", "accuracy", "low", "high", "null",
                   "chance"]]  # fmt: skip
    notes = []
    if left := [k for k in usefulness.SHOTS if k not in shots]:
        notes.append(f"the smallest class has {fewest} images, too few for {', '.join(map(str, left))} shots")
    if table["seed"].nunique() == 1:
        notes.append("one seed only: intervals are over images or draws of support images, none over networks")
    return Findings({"usefulness": table}, _answer(study, table), notes)


def _layer(study, shots, model, layer):
    features, settings = study.pooled(model, layer)[study.rows], study.settings
    return usefulness.table(features, study.labels, shots, EPISODES, settings.resamples, settings.seed)


def _answer(study, table) -> str:
    probe = table[table["task"] == "probe"]
    best = probe.loc[probe.groupby("model", sort=False)["accuracy"].idxmax()].set_index("model")
    chosen = [*study.coarse(), *([study.native()] if study.native() else [])] or list(best.index)
    parts = [f"{model} {_with_interval(best.loc[model])}" for model in chosen]
    starts = [model for model in best.index if best.loc[model, "labels"] in STARTS]
    parts += [f"{model} {_with_interval(best.loc[model])}" for model in starts if model not in chosen]
    return (
        f"Accuracy of a linear probe on {len(set(study.labels))} classes, best of the layers {', '.join(study.layers)} "
        f"(chance {best['chance'].iloc[0]:.3f}): {', '.join(parts)}."
    )


def _with_interval(row) -> str:
    return f"{row['accuracy']:.3f} ({row['low']:.3f} to {row['high']:.3f})"


def draw(findings) -> dict:
    table = findings.tables["usefulness"]
    layers = list(dict.fromkeys(table["layer"]))[-3:]
    tasks = list(dict.fromkeys(table["task"]))
    tasks = [*tasks[1:], tasks[0]]  # the probe last, because it uses the most images
    with drawing.pyplot() as plt:
        figure, axes = plt.subplots(1, len(layers), figsize=(7.1, 2.8), sharey=True, squeeze=False)
        for axis, layer in zip(axes[0], layers, strict=True):
            for _, own in table[table["layer"] == layer].groupby("model", sort=False):
                by_task = own.set_index("task").loc[tasks]
                look = drawing.look(own.iloc[0])
                axis.plot(range(len(tasks)), by_task["accuracy"], marker="o", markersize=2.5, linewidth=0.9, **look,
                          label=drawing.name(own.iloc[0]))  # fmt: skip
                axis.vlines(range(len(tasks)), by_task["low"], by_task["high"], linewidth=0.8, color=look["color"])
            axis.axhline(table["chance"].iloc[0], color=style.MUTED, linewidth=0.6)
            axis.set_title(layer, loc="left")
            axis.set_xticks(range(len(tasks)), tasks)
        axes[0, 0].set_ylabel("accuracy")
        axes[0, 0].set_ylim(0, None)
        drawing.legend_below(figure, axes[0, 0], 7, 0.14)
    return {
        "usefulness": (
            figure,
            "Accuracy of nearest class means from few images and of a linear probe, on the spatial maxima of each "
            "layer's channels. Grey line: chance. Bars: 95%, over draws of support images (shots) or test images "
            "(probe).",
        )
    }


ANALYSIS = Analysis(
    name="usefulness",
    question="Aligned but useless: what can still be read out of coarse networks?",
    how_to_read=(
        "A linear probe and nearest class means (1, 5, 10, 20 images per class) on the spatial maxima of a layer's "
        "channels show whether fine classes can be read out of a network that was trained on coarse ones. Compare with "
        "chance, with shuffled labels (column null), and with the untrained networks: the difference to the one with "
        "fitted batch-norm statistics is the effect of learning."
    ),
    run=run,
    draw=draw,
    needs=("pooled",),
)
