"""What are the axes along which classes were cut, and do networks have them?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainscore_granularity.report import style
from brainscore_granularity.rsa.degenerate import DegenerateFeatures

from .. import drawing, label_axes, thumbnails
from ..base import Analysis, Findings
from ..measures import pcs

ENDS = 6  # images at each end
DOTS = 400  # images in a scatter
PLANE = 2
COLOURED = 4  # classes


def run(study) -> Findings:
    all_axes, warnings = label_axes.of(study), []
    ends, scatter, held, mosaics = [], [], [], {}
    layer = study.layers[-1]
    for axes in all_axes:
        scores = axes.scores[study.rows]
        found = pcs.extremes(scores, study.images.ids, study.labels, min(ENDS, len(study.rows) // 2))
        ends.append(found.assign(source=axes.source, share=axes.shares[found["component"] - 1]))
        mosaics[axes.source] = _mosaic(found, study.images.paths), axes.shares
        classes = axes.classes(COLOURED)[study.rows]
        for model in study.models:
            products = study.products(model, layer)
            try:
                plane = study.components(model, layer).scores(products, study.rows)[:, :PLANE]
            except DegenerateFeatures as error:
                warnings.append(f"{model} {layer}: {error}")
                continue
            plane = _turned(plane, scores)
            about = study.describe(model) | {"layer": layer, "source": axes.source}
            scatter.append(pd.DataFrame(about | {"image": study.images.ids, "pc1": plane[:, 0], "pc2": plane[:, 1],
                                                 "class": classes}))  # fmt: skip
            for number, axis in enumerate(scores.T, start=1):
                value, low, high, null = pcs.held(axis, plane, study.settings.resamples, study.settings.seed)
                held.append(about | {"component": number, "share_held": value, "low": low, "high": high,
                                     "chance": null})  # fmt: skip
    tables = {"extremes": pd.concat(ends, ignore_index=True), "scatter": pd.concat(scatter, ignore_index=True),
              "held": pd.DataFrame(held)}  # fmt: skip
    if tables["held"]["seed"].nunique() == 1:
        warnings.append("one seed only: intervals are over images, none over networks")
    return Findings(tables, _answer(study, all_axes, tables["held"]), warnings, {"mosaics": mosaics})


def _turned(plane, scores):
    """Fix the arbitrary signs of a network's two components: they correlate positively with the label source's."""
    plane = plane.copy()
    for i in range(plane.shape[1]):
        r = [np.corrcoef(plane[:, i], axis)[0, 1] for axis in scores.T[:PLANE]]
        plane[:, i] *= np.sign(r[int(np.argmax(np.abs(r)))]) or 1
    return plane


def _mosaic(found, paths):
    """One row of images per component: the low end (most extreme first), a gap, the high end (most extreme last)."""
    rows = []
    for _, own in found.groupby("component"):
        low, high = (own[own["end"] == end].sort_values("place") for end in ("low", "high"))
        rows.append([paths[row] for row in [*low["row"], *high["row"][::-1]]])
    return thumbnails.mosaic(rows, blank=3 * thumbnails.GAP)


def _answer(study, all_axes, held) -> str:
    parts = []
    for axes in all_axes:
        if study.labels is not None:
            (low, high), share = pcs.common(axes.scores[study.rows], study.labels)[0], axes.shares[0]
            parts.append(f"PC1 of {axes.encoder} ({share:.0%} of its variance) runs from {', '.join(low)} to "
                         f"{', '.join(high)}")  # fmt: skip
        own = held[(held["source"] == axes.source) & (held["component"] == 1)]
        told = ", ".join(f"{drawing.name(row)} {row['share_held']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
                         for _, row in own.iterrows())  # fmt: skip
        parts.append(f"share of PC1 in the plane of the first two components of {own['layer'].iloc[0]}: {told}; "
                     f"shuffled images {own['chance'].mean():.2f}")  # fmt: skip
    return f"{'; '.join(parts)}."


def draw(findings) -> dict:
    scatter, figures = findings.tables["scatter"], {}
    with drawing.pyplot() as plt:
        for source, (mosaic, shares) in findings.arrays["mosaics"].items():
            suffix = "" if len(findings.arrays["mosaics"]) == 1 else f"_{source}"
            figures[f"extremes{suffix}"] = (
                _ends(plt, mosaic, shares),
                (
                    f"The {ENDS} images at both ends of every component of {source} that cut the classes; "
                    "the farthest out are at the edges."
                ),
            )
            figures[f"scatter{suffix}"] = (
                _scatter(plt, scatter[scatter["source"] == source]),
                (
                    f"Images on the first two components of {scatter['layer'].iloc[0]} of every network, each panel "
                    f"with its own axes. Colours are the same images in all panels: the {COLOURED} classes of "
                    f"{source}. At most {DOTS} images."
                ),
            )
    return figures


def _ends(plt, mosaic, shares):
    height, width = mosaic.shape[:2]
    figure = plt.figure(figsize=(7.1, 6.3 * height / width + 0.25))
    axis = figure.add_axes((0.1, 0.0, 0.89, 1 - 0.2 / figure.get_figheight()))
    axis.imshow(mosaic, interpolation="none")
    axis.set_axis_off()
    rows = len(shares)
    for i, share in enumerate(shares):
        axis.text(-0.01, 1 - (i + 0.5) / rows, f"PC{i + 1}\n{share:.0%}", transform=axis.transAxes, ha="right",
                  va="center", fontsize=7)  # fmt: skip
    for x, text in ((0.25, "low end"), (0.75, "high end")):
        axis.text(x, 1.01, text, transform=axis.transAxes, ha="center", va="bottom", fontsize=7, color=style.MUTED)
    return figure


def _scatter(plt, scatter):
    models = list(dict.fromkeys(scatter["model"]))
    columns = min(6, len(models))
    lines = -(-len(models) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(7.1, 1.3 * lines + 0.35), squeeze=False)
    colours = [style.COLOURS[name] for name in ("coarse", "V1", "fine", "behaviour")]
    for axis in axes.flat:
        axis.set_axis_off()
    rng = np.random.default_rng(0)
    for axis, model in zip(axes.flat, models, strict=False):
        own = scatter[scatter["model"] == model]
        title = drawing.name(own.iloc[0])
        own = own.iloc[np.sort(rng.permutation(len(own))[:DOTS])] if len(own) > DOTS else own
        for number, colour in enumerate(colours):
            part = own[own["class"] == number]
            axis.scatter(part["pc1"], part["pc2"], s=2.5, color=colour, linewidths=0, label=f"class {number + 1}",
                         rasterized=True)  # fmt: skip
        axis.set_title(title, loc="left", fontsize=7)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.tight_layout(rect=(0, 0.3 / figure.get_figheight(), 1, 1))
    figure.legend(handles, labels, frameon=False, loc="lower center", ncols=4, fontsize=6, markerscale=2)
    return figure


ANALYSIS = Analysis(
    name="pcs",
    question="What are the axes along which classes were cut, and do networks have them?",
    how_to_read=(
        "The label source's components are those that a network's description names, applied to these images. Images "
        "at both ends show what a component is about; naming it is left to the reader. The scatter shows each "
        "network's own first two components, coloured by the label source's classes: where colours separate, the "
        "network's largest axes are those it was taught. The table gives the share of each label component's variance "
        "in that plane, and the same for shuffled images; a native network's plane can hold it too."
    ),
    run=run,
    draw=draw,
    inputs=label_axes.inputs,
)
