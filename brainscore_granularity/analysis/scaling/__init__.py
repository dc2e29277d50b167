"""Scaling laws of alignment: how misalignment falls with compute, data, parameters or classes.

>>> import numpy as np
>>> from brainscore_granularity.analysis import scaling
>>> x = np.geomspace(1, 1e6, 60)
>>> noise = np.random.default_rng(0).normal(0, 0.01, 60)
>>> points = scaling.Points(x, (0.5 + 0.4 * x**-0.3) * np.exp(noise), np.arange(60), ("x",), (1.0,))
>>> found = scaling.fit(points, "power")
>>> low, high = scaling.bootstrap(found, 100).interval("E")
>>> low < 0.5 < high
True

Read a table with :func:`read` and :func:`points`; docs/scaling.md says what is fitted and how sure one can be.
"""

from .allocation import Allocation, Gains, allocate, gains
from .compare import Comparison, Extrapolation, compare, extrapolate
from .fit import Fit, fit
from .laws import LAWS, law
from .table import Points, ScalingError, average, points, read, select
from .uncertainty import Bootstrap, bootstrap, profile, resamples

__all__ = [
    "LAWS",
    "Allocation",
    "Bootstrap",
    "Comparison",
    "Extrapolation",
    "Fit",
    "Gains",
    "Points",
    "ScalingError",
    "allocate",
    "average",
    "bootstrap",
    "compare",
    "extrapolate",
    "fit",
    "gains",
    "law",
    "points",
    "profile",
    "read",
    "resamples",
    "select",
]
