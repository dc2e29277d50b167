"""The figures of docs/scaling.md, from the public table: one function per correction of the published analysis."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from brainscore_granularity.paths import write_atomically
from brainscore_granularity.report import style
from brainscore_granularity.report.panels import panels

from . import study
from .allocation import gains
from .comparison import CUTS, compare, extrapolate
from .figure import DASHES, PALETTE, curve, scatter
from .fitting import fit
from .reproduction import TABLE
from .table import read
from .uncertainty import bootstrap

RESAMPLES = 300
FLOPS, LOSS = "training compute, FLOPs", "misalignment, 1 - score"
REGIONS = {"v1": "V1", "v2": "V2", "v4": "V4", "it": "IT", "behavior": "behaviour"}
LAWS = {"power": "power law, E > 0", "free": "power law, any E", "log-linear": "log-linear"}


def row_filter(table) -> str:
    """The neural curve depends on which rows are fitted."""
    published = study.FITS["compute_neuro"]
    with panels(1, (6.2, 3.7)) as (figure, (axis,), svg):
        for which, (how, name) in enumerate(
            ((published, "as published"), (published._replace(enough_data=True), "as the text says"))
        ):
            points = study.points(study.rows(table, how), "total_flops", scale=1e13)
            if not which:
                everything = points
                scatter(axis, points, alpha=0.3)
            found = fit(points)
            p = found.parameters
            label = f"{name}: {len(points)} models, E {p['E']:.3f}, alpha {p['alpha']:.3f}"
            curve(axis, found, bootstrap(found, RESAMPLES), label, which)
        _finish(axis, "Neural misalignment (mean of V1, V2, V4, IT)", everything.loss)
        figure.tight_layout()
        return svg()


def free_floor(table) -> str:
    """Behaviour: does misalignment go to zero? Three laws, within the data and extrapolated."""
    points = study.published_points(table, "compute_behavior")
    compared = compare(points, tuple(LAWS))
    with panels(2, (9.6, 3.8), width_ratios=(1.35, 1)) as (figure, axes, svg):
        scatter(axes[0], points)
        for which, (name, label) in enumerate(LAWS.items()):
            found = fit(points, name)
            curve(axes[0], found, None, f"{label} (loss {found.loss:.4f})", which)
            _steps(axes[1], compared, which, label)
        _finish(axes[0], "Behaviour: all rows fitted", points.loss)
        _errors(axes[1], "Predicting the next range of compute")
        figure.tight_layout()
        return svg()


def neural_laws(table) -> str:
    """The same comparison for the neural regions."""
    points = study.published_points(table, "compute_neuro")
    compared = compare(points, tuple(LAWS))
    with panels(1, (5.2, 3.6)) as (figure, (axis,), svg):
        for which, label in enumerate(LAWS.values()):
            _steps(axis, compared, which, label)
        _errors(axis, "Neural: predicting the next range of compute")
        axis.legend(frameon=False, fontsize=8)
        figure.tight_layout()
        return svg()


def group_two(table) -> str:
    """ConvNeXt and ViT: late start, then saturation within the data; lambda and alpha diverge together."""
    with panels(2, (9.6, 3.7), sharey=False) as (figure, axes, svg):
        for axis, region in zip(axes, ("it", "behavior"), strict=True):
            points = study.published_points(table, f"region_{region}_group2")
            scatter(axis, points, alpha=0.35)
            for which, (name, label) in enumerate((("late", "late start"), ("power", "without late start"))):
                found = fit(points, name)
                drawn = bootstrap(found, 100) if name == "late" else None
                curve(axis, found, drawn, f"{label} (loss {found.loss:.4f})", which)
            _finish(axis, f"ConvNeXt and ViT: {REGIONS[region]}", points.loss)
        figure.tight_layout()
        return svg()


def extrapolation(table) -> str:
    """Fit on the lower 80% of the rows by compute, predict the others."""
    with panels(2, (9.6, 3.7)) as (figure, axes, svg):
        for axis, name, title in zip(axes, ("compute_neuro", "compute_behavior"), ("Neural", "Behaviour"), strict=True):
            points = study.published_points(table, name)
            for which, (law_name, label) in enumerate(LAWS.items()):
                asked = extrapolate(points, law_name)
                if not which:
                    below = points.x <= asked.cut
                    scatter(axis, points.rows(below), alpha=0.25, label="fitted")
                    scatter(axis, points.rows(~below), style.INK, alpha=0.4, label="held out")
                    axis.axvline(asked.cut * points.scale[0], color=style.MUTED, linewidth=0.8)
                text = f"{label} (error {asked.error:.2f})"
                curve(axis, fit(points.rows(below), law_name), None, text, which, points.x.max() * points.scale[0])
            _finish(axis, title, points.loss)
        figure.tight_layout()
        return svg()


def region_gains(table) -> str:
    """A 10^-alpha of group 1 with intervals, and the value with the published sign of alpha."""
    points = {label: study.published_points(table, f"region_{name}_group1") for name, label in REGIONS.items()}
    found = gains(points, RESAMPLES)
    fits = [fit(p).parameters for p in points.values()]
    x = np.arange(len(points))
    with panels(1, (5.6, 3.6)) as (figure, (axis,), svg):
        axis.vlines(x, found.low, found.high, color=PALETTE[0], alpha=0.5, linewidth=2)
        axis.plot(x, found.value, "o", color=PALETTE[0], markersize=6, markeredgecolor="white",
                  label="A 10^-alpha, 95% by model")  # fmt: skip
        axis.plot(x, [p["A"] * 10 ** p["alpha"] for p in fits], "s", color=PALETTE[1], markersize=5,
                  markerfacecolor="none", label="A 10^alpha, as published")  # fmt: skip
        axis.set_xticks(x, points)
        axis.set_ylabel("reducible at ten units of compute")
        axis.set_ylim(0, None)
        axis.set_title("What scale can still bring", loc="left")
        axis.legend(frameon=False, fontsize=8, loc="upper left")
        figure.tight_layout()
        return svg()


def _steps(axis, compared, which, label) -> None:
    row = compared.laws.index(list(LAWS)[which])
    axis.plot(range(len(CUTS)), compared.errors[row], marker="os^"[which], color=PALETTE[which], markersize=5,
              linestyle=DASHES[which], linewidth=1.6, markeredgecolor="white", label=label)  # fmt: skip


def _errors(axis, title) -> None:
    ends = (*CUTS[1:], 1.0)
    axis.set_xticks(range(len(CUTS)), [f"{b:.0%} to\n{e:.0%}" for b, e in zip(CUTS, ends, strict=True)], fontsize=8)
    axis.set_xlabel("rows predicted, by compute, from all below")
    axis.set_ylabel("mean |log predicted - log observed|")
    axis.set_ylim(0, 1.1 * axis.get_ylim()[1])
    axis.set_title(title, loc="left")


def _finish(axis, title, loss) -> None:
    axis.set_xscale("log")
    low, high = loss.min(), loss.max()
    axis.set_ylim(low - 0.4 * (high - low), high + 0.05 * (high - low))  # room for the legend below
    axis.set_xlabel(FLOPS)
    axis.set_ylabel(LOSS)
    axis.set_title(title, loc="left")
    axis.legend(frameon=False, fontsize=8, loc="lower left")


FIGURES = {
    "row_filter": row_filter,
    "free_floor": free_floor,
    "neural_laws": neural_laws,
    "group_two": group_two,
    "extrapolation": extrapolation,
    "region_gains": region_gains,
}


def write_all(data: Path, folder: Path) -> list[Path]:
    """Write every figure as ``scaling_<name>.svg``."""
    table = read(Path(data, TABLE))
    paths = []
    for name, draw in FIGURES.items():
        path = Path(folder, f"scaling_{name}.svg")
        write_atomically(path, draw(table))
        paths.append(path)
    return paths
