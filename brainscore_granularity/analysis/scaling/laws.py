"""The laws: misalignment L as a function of X, with derivatives.

A law works on u = log(X / g), with g the geometric mean of the X it was fitted to, and in coordinates in which its
parameters are nearly uncorrelated; ``public`` converts these to the parameters of the equation. The solver needs log L,
the first derivatives of L divided by L, and sums of the second derivatives over rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from . import any_floor, positive_floor


class Law(NamedTuple):
    """One functional form.

    ``terms(theta, u)``: theta (m, p), u (n,) or, for two variables, (n, 2). ``starts(u, loss, log_g)`` gives starting
    points (s, p); ``public(theta, log_g)`` the parameters of ``equation`` by name, arrays of theta's leading shape.
    ``box`` is the search range of each coordinate. ``limits(log_g)``, by parameter: if the data do not exclude
    values beyond its limit, the parameter is not identified.
    """

    equation: str
    coordinates: tuple[str, ...]
    terms: Callable
    starts: Callable
    public: Callable
    box: tuple[tuple[float, float], ...]
    limits: Callable
    variables: int = 1


def law(name: str) -> Law:
    """A law by name.

    >>> law("power").equation
    'L = E + A X^-alpha, E > 0'
    """
    if name not in LAWS:
        raise ValueError(f"law: expected one of {', '.join(LAWS)}, got {name!r}")
    return LAWS[name]


_E, _C, _ALPHA = (-30.0, 2.0), (-30.0, 10.0), (-2.0, 30.0)
_TINY, _HUGE = 1e-6, 1e40


def _limits(log_g) -> dict:
    """Limits beyond which a parameter has no further effect.

    Those of a late start are five decades above the middle of X (like one at infinity) and five below (like none).
    """
    a, alpha = (-20.0, np.log(_HUGE)), (-1.9, 25.0)
    middle = float(np.mean(log_g)) / np.log(10)
    return {
        "e": (np.log(_TINY), 1.9), "E": (_TINY, 7.0), "a": a, "b": a, "A": (0.0, _HUGE), "B": (0.0, _HUGE),
        "alpha": alpha, "beta": alpha, "lambda": (middle - 5, middle + 5),
    }  # fmt: skip


def _free_limits(log_g) -> dict:
    return {"E": (-10.0, 10.0), "A": (-_HUGE, _HUGE), "alpha": (-1.9, 25.0)}


LAWS = {
    "power": Law(
        "L = E + A X^-alpha, E > 0",
        ("e", "c", "alpha"),
        positive_floor.power,
        positive_floor.power_starts,
        positive_floor.power_public,
        (_E, _C, _ALPHA),
        _limits,
    ),
    "late": Law(
        "L = E + A (X + 10^lambda)^-alpha, E > 0",
        ("e", "c", "s", "l"),
        positive_floor.late,
        positive_floor.late_starts,
        positive_floor.late_public,
        (_E, _C, (-2.0, 30.0), (-8.0, 8.0)),
        _limits,
    ),
    "joint": Law(
        "L = E + A N^-alpha + B D^-beta, E > 0",
        ("e", "c", "alpha", "d", "beta"),
        positive_floor.joint,
        positive_floor.joint_starts,
        positive_floor.joint_public,
        (_E, _C, _ALPHA, _C, _ALPHA),
        _limits,
        variables=2,
    ),
    "free": Law(
        "L = E + A X^-alpha, E of any sign",
        ("c", "k", "alpha"),
        any_floor.free,
        any_floor.free_starts,
        any_floor.free_public,
        ((0.0, 10.0), (-10.0, 10.0), (-2.0, 30.0)),
        _free_limits,
    ),
    "log-linear": Law(
        "L = c - k log X",
        ("c", "k"),
        any_floor.log_linear,
        any_floor.log_linear_starts,
        any_floor.log_linear_public,
        ((0.0, 10.0), (-10.0, 10.0)),
        lambda log_g: {},
    ),
}
