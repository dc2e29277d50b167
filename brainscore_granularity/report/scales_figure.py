"""Alignment against granularity for behaviour, spiking and fMRI on one image set."""

from __future__ import annotations

import pandas as pd

from . import conditions, style
from .measures import ONE_IMAGE_SET, SUBJECTS
from .panels import panels
from .summary import raw_interval

GAP = 0.7  # space before conditions whose source is named on the axis: controls, and classes from other networks


def scales_figure(scores: pd.DataFrame, layers: pd.DataFrame) -> str:
    """SVG, one panel per measurement scale; filled: the committed layer with its 95% interval, open: the best layer."""
    native = conditions.NATIVE_CLASSES["granularity_tiny"]
    known = conditions.in_order(map(conditions.of, scores["model"].unique()))
    first = next((i for i, found in enumerate(known) if _is_named(found)), len(known))
    x_of = {found: i + (GAP if i >= first else 0) for i, found in enumerate(known)}
    top = max(scores["raw"].max(), layers["raw"].max())
    with panels(len(ONE_IMAGE_SET), (11, 3.7), sharey=True) as (figure, axes, svg):
        axes[0].set_ylabel("RSA (Spearman)")
        axes[0].set_ylim(min(-0.03, scores["raw"].min() - 0.05), max(0.5, top + 0.12))
        for axis, (scale, benchmark) in zip(axes, ONE_IMAGE_SET.items(), strict=True):
            rows = scores[scores["benchmark"] == benchmark]
            _panel(axis, rows, layers[layers["scale"] == scale], x_of, style.COLOURS[scale])
            axis.set_title(f"{scale if scale == 'fMRI' else scale.capitalize()}: {SUBJECTS[scale]}", loc="left")
            axis.set_xticks(list(x_of.values()), [found.tick(native) for found in x_of], fontsize=7.5)
            for source in dict.fromkeys(found.labels for found in x_of if _is_named(found)):
                places = [x for found, x in x_of.items() if found.labels == source]
                axis.text(sum(places) / len(places), -0.085, source, ha="center", va="top", fontsize=7.5,
                          color=style.INK, transform=axis.get_xaxis_transform())  # fmt: skip
            axis.set_xlabel("classes the network was trained on")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, frameon=False, fontsize=8, loc="lower center", ncols=3)
        figure.tight_layout(rect=(0, 0.07, 1, 1))
        return svg()


def _panel(axis, rows, layers, x_of, colour) -> None:
    lower, upper = rows["ceiling_lower"].iloc[0], rows["ceiling_upper"].iloc[0]
    note, height = "noise ceiling not known", 0.97
    if upper < 1:
        axis.axhspan(lower, upper, color=style.MUTED, alpha=0.15, linewidth=0)
        note, height = "noise ceiling", min(0.97, axis.transLimits.transform((0, upper))[1] - 0.015)
    axis.text(0.02, height, note, fontsize=7.5, color=style.MUTED, va="top", transform=axis.transAxes)
    best = layers.groupby("model")["raw"].max()
    ordered = sorted(rows.itertuples(), key=lambda row: x_of[conditions.of(row.model)])
    x = [x_of[conditions.of(row.model)] for row in ordered]
    raw, low, high = zip(*(raw_interval(row._asdict()) for row in ordered), strict=True)
    axis.vlines(x, low, high, color=colour, alpha=0.45, linewidth=1.6)
    axis.plot(x, raw, "o", color=colour, markersize=5.5, markeredgecolor="white", markeredgewidth=0.6,
              label="layer chosen on other stimuli, 95% interval over images")  # fmt: skip
    axis.plot(x, [best[row.model] for row in ordered], "o", color=colour, markersize=5.5, markerfacecolor="none",
              label="best layer on these images")  # fmt: skip
    if apart := [place for found, place in x_of.items() if _is_named(found)]:
        axis.axvline(min(apart) - (1 + GAP) / 2, color=style.GRID, linewidth=1)
    axis.axhline(0, color=style.MUTED, linewidth=0.8)


def _is_named(found: conditions.Condition) -> bool:
    """Whether the axis shows the source of a condition; not for our own classes and for conditions without K."""
    return found.k is not None and found.labels != conditions.OWN
