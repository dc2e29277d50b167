"""Alignment against granularity for behaviour, spiking and fMRI on one image set, and MEG on the same objects."""

from __future__ import annotations

import pandas as pd

from . import conditions, style
from .measures import ONE_IMAGE_SET, SAME_OBJECTS, SUBJECTS
from .panels import panels

GAP = 0.7  # space before every source that is named on the axis: controls, and classes from other networks


def scales_figure(cross_validated: pd.DataFrame, scores: pd.DataFrame) -> str:
    """SVG, one panel per measurement scale; filled: layer chosen on half of the images, open: committed layer.

    scores : also those of `measures.SAME_OBJECTS`, where these are to have a panel; a scale without cross-validated
        scores has open marks only.
    """
    native = conditions.NATIVE_CLASSES["granularity_tiny"]
    known = conditions.in_order(map(conditions.of, scores["model"].unique()))
    sources = list(dict.fromkeys(found.labels for found in known if _is_named(found)))
    x_of = {
        found: i + (GAP * (1 + sources.index(found.labels)) if _is_named(found) else 0) for i, found in enumerate(known)
    }
    top = max(scores["raw"].max(), cross_validated["high"].max())
    scored = set(scores["benchmark"])
    shown = ONE_IMAGE_SET | {scale: name for scale, name in SAME_OBJECTS.items() if name in scored}
    with panels(len(shown), (11 / 3 * len(shown), 3.7), sharey=True) as (figure, axes, svg):
        axes[0].set_ylabel("RSA (Spearman)")
        bottom = min(cross_validated["low"].min(), scores["raw"].min())
        axes[0].set_ylim(min(-0.03, bottom - 0.02), max(0.5, top + 0.06))
        for axis, (scale, benchmark) in zip(axes, shown.items(), strict=True):
            rows = scores[scores["benchmark"] == benchmark]
            _panel(axis, cross_validated[cross_validated["scale"] == scale], rows, x_of, style.COLOURS[scale])
            axis.set_title(f"{scale.capitalize() if scale.islower() else scale}: {SUBJECTS[scale]}", loc="left")
            axis.set_xticks(list(x_of.values()), [found.tick(native) for found in x_of], fontsize=7.5)
            for source in sources:
                places = [x for found, x in x_of.items() if found.labels == source]
                axis.text(sum(places) / len(places), -0.085, source, ha="center", va="top", fontsize=7.5,
                          color=style.INK, transform=axis.get_xaxis_transform())  # fmt: skip
            axis.set_xlabel("classes the network was trained on")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, frameon=False, fontsize=8, loc="lower center", ncols=3)
        figure.tight_layout(rect=(0, 0.07, 1, 1))
        return svg()


def _panel(axis, chosen, scores, x_of, colour) -> None:
    lower, upper = scores["ceiling_lower"].iloc[0], scores["ceiling_upper"].iloc[0]
    note, height = "noise ceiling not known", 0.97
    if upper < 1:
        axis.axhspan(lower, upper, color=style.MUTED, alpha=0.15, linewidth=0)
        note, height = "noise ceiling", min(0.97, axis.transLimits.transform((0, upper))[1] - 0.015)
    axis.text(0.02, height, note, fontsize=7.5, color=style.MUTED, va="top", transform=axis.transAxes)
    x = [x_of[conditions.of(model)] for model in chosen["model"]]
    axis.vlines(x, chosen["low"], chosen["high"], color=colour, alpha=0.45, linewidth=1.6)
    axis.plot(x, chosen["raw"], "o", color=colour, markersize=5.5, markeredgecolor="white", markeredgewidth=0.6,
              label="layer chosen on half of the images, scored on the other; 95% interval over images")  # fmt: skip
    x = [x_of[conditions.of(model)] for model in scores["model"]]
    axis.plot(x, scores["raw"], "o", color=colour, markersize=5.5, markerfacecolor="none", label="layer by depth")
    if apart := [place for found, place in x_of.items() if _is_named(found)]:
        axis.axvline(min(apart) - (1 + GAP) / 2, color=style.GRID, linewidth=1)
    axis.axhline(0, color=style.MUTED, linewidth=0.8)


def _is_named(found: conditions.Condition) -> bool:
    """Whether the axis shows the source of a condition; not for our own classes and for conditions without K."""
    return found.k is not None and found.labels != conditions.OWN
