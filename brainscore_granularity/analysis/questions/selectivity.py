"""Does coarse training leave artefacts: selective, sparse, dead or extreme units, few dimensions?"""

from __future__ import annotations

from functools import partial

import pandas as pd

from brainscore_granularity.threads import in_threads

from .. import drawing
from ..base import Analysis, Findings, NotApplicable
from ..measures import selectivity

RESAMPLES, NULLS = 40, 20  # at most; each resample and each null needs all distances between images again
TITLES = {
    "selectivity": "class selectivity",
    "sparseness": "sparseness (Hoyer)",
    "dead": "share of dead units",
    "top_unit": "variance in one unit",
    "kurtosis": "excess kurtosis",
    "dimension": "dimension (two neighbours)",
}


def run(study) -> Findings:
    if study.labels is None:
        raise NotApplicable("needs images whose class is known: add --images, a folder <class>/<image>")
    rows, notes, signed = [], [], set()
    for model in study.models:
        about = study.describe(model)
        found = in_threads(partial(_layer, study, model), study.layers)
        for layer, table in zip(study.layers, found, strict=True):
            if table is None:
                signed.add(layer)
                continue
            rows.append(table.assign(**about, layer=layer))
            values = dict(zip(table["measure"], table["value"], strict=True))
            notes += selectivity.pathologies(values, f"{model} {layer}")
        study.say(f"selectivity: {model}")
    names = ", ".join(layer for layer in study.layers if layer in signed)
    if not rows:
        raise NotApplicable(
            f"none of the layers ({names}) is the output of a ReLU, because activations are negative; choose "
            "layers after a ReLU with --layers"
        )
    if signed:
        notes.append(f"left out, because negative activations cannot be the output of a ReLU: {names}")
    table = pd.concat(rows, ignore_index=True)
    table = table[["model", "labels", "k", "seed", "layer", "measure", "value", "low", "high", "null", "p"]]
    if table["seed"].nunique() == 1:
        notes.append("one seed only: intervals are over images, none over networks")
    return Findings({"selectivity": table}, _answer(study, table, notes), notes)


def _layer(study, model, layer):
    """The table of one layer; None if it is not the output of a ReLU."""
    units = study.digest(model, layer, "units")["units"][study.rows]
    resamples, name = min(RESAMPLES, study.settings.resamples), f"{model} {layer}"
    try:
        return selectivity.table(units, study.labels, name, resamples, study.settings.seed, min(NULLS, resamples))
    except selectivity.NotRectified:
        return None


def _answer(study, table, notes) -> str:
    coarse, native = study.coarse(), study.native()
    limits = [note for note in notes if "limit" in note]
    ill = [model for model in study.models if any(note.startswith(f"{model} ") for note in limits)]
    said = f"{len(ill)} of {len(study.models)} networks have a layer beyond a limit" + (
        f" ({', '.join(ill)})" if ill else ""
    )
    if not coarse or native is None:
        return said + "; whether coarse training is the reason needs coarse models and a native one."
    layer = study.layers[-1] if study.layers[-1] in set(table["layer"]) else table["layer"].iloc[-1]
    last = table[table["layer"] == layer].set_index(["model", "measure"])
    first = coarse[0]
    parts = [
        f"{TITLES[name]} {_with_interval(last.loc[(first, name)])} against {_with_interval(last.loc[(native, name)])}"
        for name in ("selectivity", "sparseness", "dead", "dimension")
    ]
    return f"{said}. In {layer}, {first} against {native}: {'; '.join(parts)}."


def _with_interval(row) -> str:
    return f"{row['value']:.3g}" + (f" ({row['low']:.3g} to {row['high']:.3g})" if row["low"] == row["low"] else "")


def draw(findings) -> dict:
    table = findings.tables["selectivity"]
    layers = list(dict.fromkeys(table["layer"]))
    with drawing.pyplot() as plt:
        figure, axes = plt.subplots(2, 3, figsize=(7.1, 4.0), sharex=True)
        for axis, (measure, title) in zip(axes.flat, TITLES.items(), strict=True):
            for i, (_, own) in enumerate(table[table["measure"] == measure].groupby("model", sort=False)):
                places = own["layer"].map(layers.index) + (i - 0.5 * table["model"].nunique()) * 0.05
                axis.plot(places, own["value"], marker="o", markersize=3, linewidth=0.6, **drawing.look(own.iloc[0]),
                          label=drawing.name(own.iloc[0]))  # fmt: skip
                axis.vlines(places, own["low"], own["high"], linewidth=0.8, color=drawing.look(own.iloc[0])["color"])
            axis.set_title(title, loc="left")
            axis.set_xticks(range(len(layers)), layers)
            axis.set_xlim(-0.5, len(layers) - 0.5)
        drawing.legend_below(figure, axes.flat[0], 7, 0.1)
    return {
        "selectivity": (
            figure,
            f"Measures of up to {_units()} units of each layer, drawn at random; bars are 95% intervals over images.",
        )
    }


def _units() -> int:
    from ..digests import UNITS

    return UNITS


ANALYSIS = Analysis(
    name="selectivity",
    question="Does coarse training leave artefacts: selective, sparse, dead or extreme units, few dimensions?",
    how_to_read=(
        "Class selectivity is 0 for a unit that all classes drive alike and 1 for one that a single class drives; "
        "sparseness is 0 where all units of an image are alike and 1 where one is active. If most units of a layer are "
        "dead, or one holds most of the variance, its alignment rests on few units; the limits are conventions, "
        "not tests. The null shuffles images separately in every unit. Only layers after a ReLU are measured."
    ),
    run=run,
    version=2,
    draw=draw,
    needs=("units",),
)
