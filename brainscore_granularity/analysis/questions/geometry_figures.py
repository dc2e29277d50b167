"""The figures of `geometry`: layers against native ones, a map of all RDMs, and RDMs sorted in two ways."""

from __future__ import annotations

import numpy as np

from brainscore_granularity.report import style

from .. import drawing
from ..measures import geometry

LEVELS = 6  # colours for dissimilarity
GROUPS = 8  # coarse classes that group images


def draw(findings) -> dict:
    shown, order = findings.arrays["shown"], findings.tables["order"]
    with drawing.pyplot() as plt:
        figures = {
            "layers": (_layers(plt, findings.tables["layerwise"]), (
                "Similarity of every layer to that of the native network: Spearman correlation of RDMs, and debiased "
                "linear CKA. Grey bands: two seeds of one condition, where there are any. Bars: 95% over images."
            )),
            "map": (_map(plt, findings.tables["map"]), (
                "All RDMs in a plane: distances are 1 - Spearman. Lines join the layers of a network from early (small "
                "dots) to late (large); diamonds are brains, mean over subjects."
            )),
        }  # fmt: skip
        by_score = np.argsort(order["score"].to_numpy(), kind="stable")
        by_class = geometry.by_class(order["class"], order["score"])
        figures["rdms_by_rank"] = (_heat(plt, shown, by_score, None), (
            "RDMs with images in the order of the first component. Dark: alike; percentiles of each RDM. "
            "Networks: the layer committed to the first brain's region."
        ))  # fmt: skip
        figures["rdms_by_class"] = (_heat(plt, shown, by_class, order["class"].to_numpy()[by_class]), (
            f"The same RDMs with images grouped by their class at K = {GROUPS}, then in the order of the first "
            "component. White lines separate classes."
        ))  # fmt: skip
    return figures


def _layers(plt, table):
    figure, axes = plt.subplots(1, 2, figsize=(7.1, 3.0), sharey=True)
    layers = list(dict.fromkeys(table["layer"]))
    for axis, measure, title in zip(axes, ("rsa", "cka"), ("RSA (Spearman)", "CKA (debiased)"), strict=True):
        seeds = table[table["pair"] == "seed"].groupby("layer", sort=False)[measure].agg(["min", "max"])
        if len(seeds):
            axis.fill_between(range(len(layers)), seeds["min"].reindex(layers), seeds["max"].reindex(layers),
                              color=style.GRID, linewidth=0, label="seeds of one condition")  # fmt: skip
        for _, own in table[table["pair"] == "native"].groupby("model", sort=False):
            look = drawing.look(own.iloc[0])
            place = [layers.index(layer) for layer in own["layer"]]
            axis.plot(place, own[measure], linewidth=0.9, marker="o", markersize=2, label=drawing.name(own.iloc[0]),
                      **look)  # fmt: skip
            axis.vlines(place, own[f"{measure}_low"], own[f"{measure}_high"], linewidth=0.5, color=look["color"])
        axis.set_title(title, loc="left")
        axis.set_xticks(range(len(layers)), layers, rotation=60)
    axes[0].set_ylabel("similarity to the native network")
    axes[0].set_ylim(None, 1.02)
    drawing.legend_below(figure, axes[0], 7, 0.12)
    return figure


def _map(plt, points):
    figure, axis = plt.subplots(figsize=(5.2, 4.2))
    networks = points[points["kind"] == "network"]
    for _, own in networks.groupby("what", sort=False):
        look = drawing.look(own.iloc[0])
        sizes = np.linspace(3, 22, len(own))
        axis.plot(own["x"], own["y"], linewidth=0.8, alpha=0.8, **look, label=drawing.name(own.iloc[0]))
        axis.scatter(own["x"], own["y"], s=sizes, color=look["color"], linewidths=0, zorder=3)
    brains = points[points["kind"] == "brain"]
    axis.scatter(brains["x"], brains["y"], marker="D", s=28, color=style.COLOURS["fine"], zorder=4)
    for row, name in zip(brains.itertuples(), drawing.short(brains["what"]), strict=True):
        left = row.x < brains["x"].median()
        axis.annotate(name, (row.x, row.y), xytext=(-6 if left else 6, 2), textcoords="offset points", fontsize=6,
                      ha="right" if left else "left")  # fmt: skip
    axis.set_aspect("equal", adjustable="datalim")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    axis.set_title(f"distances between RDMs in a plane (stress {points['stress'].iloc[0]:.2f})", loc="left")
    drawing.legend_below(figure, axis, 6, 0.12)
    return figure


def _heat(plt, shown, order, classes):
    columns = 4
    lines = -(-len(shown) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(7.1, 1.9 * lines), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, (name, rdm) in zip(axes.flat, shown.items(), strict=False):
        steps = np.round(geometry.percentiles(rdm)[np.ix_(order, order)] * LEVELS) / LEVELS
        # without interpolation and with few colours, which makes the file ten times smaller
        image = axis.imshow(steps, cmap="cividis", vmin=0, vmax=1, interpolation="none")
        axis.set_title(name, loc="left")
        if classes is not None:
            for edge in np.flatnonzero(np.diff(classes)) + 0.5:
                axis.axhline(edge, color="white", linewidth=0.5)
                axis.axvline(edge, color="white", linewidth=0.5)
    figure.tight_layout(rect=(0, 0, 0.9, 1))
    bar = figure.colorbar(image, cax=figure.add_axes((0.91, 0.2, 0.012, 0.6)))
    bar.set_label("dissimilarity (percentile)")
    bar.outline.set_visible(False)
    return figure
