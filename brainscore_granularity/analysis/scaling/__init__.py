"""Scaling laws of alignment: how misalignment falls with compute, data, parameters or classes.

>>> import numpy as np
>>> from brainscore_granularity.analysis import scaling
>>> x = np.geomspace(1, 1e6, 60)
>>> noise = np.random.default_rng(1).normal(0, 0.01, 60)
>>> points = scaling.Points(x, (0.5 + 0.4 * x**-0.3) * np.exp(noise), np.arange(60), ("x",), (1.0,))
>>> found = scaling.fit(points, "power")
>>> low, high = scaling.bootstrap(found, 100).interval("E")
>>> low < 0.5 < high
True

Read a table with :func:`read` and :func:`points`; docs/scaling.md describes the fits and their uncertainty.
"""

_PUBLIC = {  # loaded on first use, because the command line must start without numpy
    "allocation": ("Allocation", "Gains", "allocate", "gains"),
    "axis": ("AxisFit", "over_axis"),
    "comparison": ("Comparison", "Extrapolation", "compare", "extrapolate"),
    "fitting": ("Fit", "fit"),
    "laws": ("LAWS", "law"),
    "planning": ("Plan", "plan"),
    "reproduction": ("reproduce",),
    "table": ("Points", "ScalingError", "average", "points", "read", "select"),
    "uncertainty": ("Bootstrap", "bootstrap", "profile", "resamples"),
}
_WHERE = {name: module for module, names in _PUBLIC.items() for name in names}
__all__ = list(_WHERE)


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_WHERE[name]}", __name__), name)
