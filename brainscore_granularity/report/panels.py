"""Figures in the package's style: panels with a horizontal grid, and reproducible SVG."""

from __future__ import annotations

from contextlib import contextmanager
from io import StringIO

from . import style


@contextmanager
def panels(count: int, size, **options):
    """A figure with panels side by side, and a function that turns it into SVG; the figure is closed afterwards."""
    import matplotlib

    matplotlib.use("Agg", force=False)
    from matplotlib import pyplot as plt

    with plt.rc_context(style.SETTINGS):
        figure, axes = plt.subplots(1, count, figsize=size, squeeze=False, **options)
        for axis in axes[0]:
            axis.grid(axis="y", color=style.GRID, linewidth=0.6)
            axis.set_axisbelow(True)
            axis.tick_params(length=0, labelleft=True)

        def svg() -> str:
            buffer = StringIO()
            figure.savefig(buffer, format="svg", metadata={"Date": None}, dpi=200)
            return buffer.getvalue()

        try:
            yield figure, axes[0], svg
        finally:
            plt.close(figure)
