"""Alignment against granularity on the embedded world."""

from __future__ import annotations

import pandas as pd

from . import conditions, style
from .panels import panels
from .summary import by_condition

# panel -> (title, y label, [(benchmark, line label, style key)])
PANELS = (
    (
        "Simulated IT",
        "RSA, share of noise ceiling",
        [
            ("World.IT-rsa", "coarse brain", "coarse"),
            ("World_fine.IT-rsa", "fine brain", "fine"),
            ("World_null.IT-rsa", "null brain", "null"),
        ],
    ),
    (
        "Simulated behaviour",
        "odd-one-out, share of ceiling",
        [
            ("World.triplet", "coarse brain", "coarse"),
            ("World_fine.triplet", "fine brain", "fine"),
            ("World_null.triplet", "null brain", "null"),
        ],
    ),
    ("Simulated V1", "RSA, share of noise ceiling", [("World.V1-rsa", "Gabor energy", "V1")]),
)


def world_figure(scores: pd.DataFrame) -> str:
    """SVG of every World benchmark: a dot per seed, a line through the means, a band for the 95% interval."""
    summary = by_condition(scores)
    native = conditions.NATIVE_CLASSES["granularity_world"]
    x_of = {name: i for i, name in enumerate(summary["condition"].cat.categories)}
    with panels(len(PANELS), (10, 3.6), sharey=True, width_ratios=(1, 1, 0.8)) as (figure, axes, svg):
        for axis, (title, y_label, lines) in zip(axes, PANELS, strict=True):
            for benchmark, label, key in lines:
                _line(axis, scores, summary, benchmark, label, key, x_of)
            axis.set_title(title, loc="left")
            axis.set_ylabel(y_label)
            axis.set_xticks(list(x_of.values()), [conditions.named(name).tick(native) for name in x_of])
            axis.set_xlabel("classes the network was trained on")
            axis.axhline(0, color=style.MUTED, linewidth=0.8)
            axis.axhline(1, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
            axis.text(
                len(x_of) - 0.75, 1.015, "noise ceiling", ha="right", va="bottom", fontsize=7.5, color=style.MUTED
            )
            if axis.get_legend_handles_labels()[0]:
                axis.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.34), ncols=3,
                            columnspacing=1.2, handlelength=1.8)  # fmt: skip
        axes[0].set_ylim(min(-0.12, summary["low"].min() - 0.03), 1.1)
        figure.tight_layout()
        return svg()


def _line(axis, scores, summary, benchmark, label, key, x_of) -> None:
    rows = summary[summary["benchmark"] == benchmark]
    if rows.empty:
        return
    colour, marker = style.COLOURS[key], style.MARKERS[key]
    before = rows["condition"].isin(conditions.STARTS)
    trained = rows[~before]
    x = [x_of[name] for name in trained["condition"]]
    axis.fill_between(x, trained["low"], trained["high"], color=colour, alpha=0.15, linewidth=0)
    axis.plot(x, trained["value"], color=colour, linewidth=1.8)
    axis.plot([], [], marker, color=colour, linestyle="-", linewidth=1.8, markersize=4, markeredgecolor="white",
              markeredgewidth=0.6, label=label)  # fmt: skip
    for start in rows[before].itertuples():
        axis.vlines(x_of[start.condition], start.low, start.high, color=colour, alpha=0.4, linewidth=1.5)
    seeds = scores[(scores["benchmark"] == benchmark) & (scores["status"] == "ok")]
    known = [conditions.condition(labels, k) for labels, k in zip(seeds["labels"], seeds["k"], strict=True)]
    seed_x = [found and x_of[found.name] for found in known]
    axis.plot(seed_x, seeds["value"], marker, color=colour, markersize=4, markeredgecolor="white",
              markeredgewidth=0.6)  # fmt: skip
