"""One visual language over the package: colours, labels, figure defaults. Colour-blind safe (Okabe & Ito 2008)."""

from __future__ import annotations

INK, MUTED, GRID = "#222222", "#6b6b6b", "#e3e3e3"
# one colour a measurement scale or simulated brain
COLOURS = {
    "coarse": "#0072B2",
    "fine": "#D55E00",
    "null": "#7f7f7f",
    "V1": "#009E73",
    "spiking": "#B2560D",
    "fMRI": "#0072B2",
    "behaviour": "#8C4A9E",
}
MARKERS = {"coarse": "o", "fine": "s", "null": "^", "V1": "D"}

SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.fonttype": "path",
    "svg.hashsalt": "granularity",  # the same figure gives the same file
}
