"""A curve with its points and band, for `granularity scaling fit --figure`; the pieces that other figures share."""

from __future__ import annotations

import numpy as np

from brainscore_granularity.report import style
from brainscore_granularity.report.panels import panels

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#8C4A9E", "#7f7f7f")  # Okabe & Ito (2008), as in report/style.py
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), "-")


def scatter(axis, points, colour=style.MUTED, label=None, alpha=0.25) -> None:
    axis.plot(points.x * points.scale[0], points.loss, "o", color=colour, markersize=2.6, alpha=alpha,
              markeredgewidth=0, label=label, rasterized=True)  # fmt: skip


def curve(axis, fit, bootstrap=None, label=None, which: int = 0, until: float | None = None) -> None:
    """The fitted curve over its points, and on to ``until``."""
    scale = fit.points.scale[0]
    x = np.geomspace(fit.points.x.min(), max(fit.points.x.max(), (until or 0) / scale), 200)
    if bootstrap is not None:
        axis.fill_between(x * scale, *bootstrap.band(x), color=PALETTE[which], alpha=0.18, linewidth=0)
    axis.plot(x * scale, fit.predict(x), color=PALETTE[which], linestyle=DASHES[which], linewidth=1.8, label=label)


def curve_figure(fits) -> str:
    """SVG of fits to the same points: a list of (fit, bootstrap or None, label)."""
    with panels(1, (5.2, 3.6)) as (figure, (axis,), svg):
        scatter(axis, fits[0][0].points)
        for which, (fit, bootstrap, label) in enumerate(fits):
            curve(axis, fit, bootstrap, label, which % len(PALETTE))
        axis.set_xscale("log")
        axis.set_xlabel(NAMES.get(fits[0][0].points.names[0], fits[0][0].points.names[0]))
        axis.set_ylabel("misalignment, 1 - score")
        axis.legend(frameon=False, fontsize=8)
        figure.tight_layout()
        return svg()


NAMES = {"total_flops": "training compute, FLOPs", "n_params": "parameters", "n_samples_seen": "images seen"}
