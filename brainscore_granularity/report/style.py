"""Colours, labels and figure defaults for the whole package. Colour-blind safe (Okabe & Ito 2008)."""

from __future__ import annotations

import math

INK, MUTED, GRID = "#222222", "#6b6b6b", "#e3e3e3"
# one colour for each measurement scale or simulated brain
COLOURS = {
    "coarse": "#0072B2",
    "fine": "#D55E00",
    "null": "#7f7f7f",
    "V1": "#009E73",
    "spiking": "#B2560D",
    "fMRI": "#0072B2",
    "behaviour": "#8C4A9E",
    "MEG": "#A6266E",
}
# colours for K = 2, 4, 8, 16, 32, 64, and 128 or more: a perceptually uniform ramp (viridis without its pale end)
RAMP = ("#440154", "#46327e", "#365c8d", "#27808e", "#1fa187", "#4cc26c", "#a2da37")
MARKERS = {"coarse": "o", "fine": "s", "null": "^", "V1": "D"}


def step(k: float) -> int:
    """Index of a number of classes in `RAMP`, and in the style sheet of the report.

    >>> step(2), step(64), step(1000)
    (0, 5, 6)
    """
    return min(max(round(math.log2(k)), 1), len(RAMP)) - 1


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
    "svg.hashsalt": "granularity",  # makes the file of a figure reproducible
}
