"""The laws: misalignment L as a function of X, with derivatives.

A law works on u = log(X / g), with g the geometric mean of the X it was fitted to, and in coordinates in which its
parameters are nearly uncorrelated; ``public`` converts these to the parameters of the equation. The solver needs log L,
the first derivatives of L divided by L, and sums of the second derivatives over rows.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import factorial
from typing import NamedTuple

import numpy as np


class Terms(NamedTuple):
    """A law at some coordinates, m problems at once."""

    log_loss: np.ndarray  # (m, n)
    first: np.ndarray  # (m, p, n), dL/dtheta_i / L
    second: Callable  # weights (m, n) -> (m, p, p), sum over rows of weight * d2L/dtheta_i dtheta_j / L


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


# The published grids of starting points (Gokce & Schrimpf 2025); lambda and beta start like alpha, b like a.
E_GRID = (-1.0, -0.5, 0.0, 0.5, 1.0)
A_GRID = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0)
ALPHA_GRID = (0.0, 0.5, 1.0, 1.5, 2.0)


def law(name: str) -> Law:
    """A law by name.

    >>> law("power").equation
    'L = E + A X^-alpha, E > 0'
    """
    if name not in LAWS:
        raise ValueError(f"law: expected one of {', '.join(LAWS)}, got {name!r}")
    return LAWS[name]


def _grid(*axes) -> np.ndarray:
    return np.array(list(product(*axes)))


def _two_shares(e, z) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """log(exp(e) + exp(z)) and the share of each, with one exponential per row."""
    above = z - e
    ratio = np.exp(-np.abs(above))
    total = 1 + ratio
    larger = 1 / total
    smaller = ratio * larger
    rising = above > 0
    return np.maximum(z, e) + np.log(total), np.where(rising, smaller, larger), np.where(rising, larger, smaller)


def _columns(theta) -> list[np.ndarray]:
    return [theta[:, i, None] for i in range(theta.shape[1])]


# power: coordinates e, c, alpha; L = exp(e) + exp(c - alpha u)


def _power(theta, u) -> Terms:
    e, c, alpha = _columns(theta)
    log_loss, floor, rest = _two_shares(e, c - alpha * u)
    first = np.empty((len(theta), 3, len(u)))
    first[:, 0], first[:, 1] = floor, rest
    np.multiply(rest, -u, out=first[:, 2])

    def second(weights):
        out = np.zeros((len(theta), 3, 3))
        out[:, 0, 0] = np.einsum("mn,mn->m", weights, floor)
        _exponential(out, 1, (weights * rest) @ np.stack([np.ones_like(u), -u, u**2], axis=1))
        return out

    return Terms(log_loss, first, second)


def _exponential(out, at: int, sums) -> None:
    """Second derivatives of exp(c - alpha u) in c and alpha, at rows ``at`` and ``at + 1``."""
    out[:, at, at], out[:, at + 1, at + 1] = sums[:, 0], sums[:, 2]
    out[:, at, at + 1] = out[:, at + 1, at] = sums[:, 1]


def _power_starts(u, loss, log_g) -> np.ndarray:
    e, a, alpha = _grid(E_GRID, A_GRID, ALPHA_GRID).T
    return np.stack([e, a - alpha * log_g, alpha], axis=1)


def _power_public(theta, log_g) -> dict:
    e, c, alpha = np.moveaxis(theta, -1, 0)
    return {"e": e, "a": c + alpha * log_g, "alpha": alpha}


# late: coordinates e, c, s, l; t = 10^l, L = exp(e) + exp(c - s (1 + t) log((x + t) / (1 + t))). s is the slope at
# x = 1, so that the way to t, alpha -> infinity, where L becomes exponential in x, is straight.


def _late(theta, u) -> Terms:
    e, c, s, late = _columns(theta)
    x, log10 = np.exp(u), np.log(10)
    t = 10.0 ** np.clip(late, -300, 300)
    q = 1 + t
    z1 = -q * np.log1p((x - 1) / q)  # dz/ds
    z2 = -(np.log1p((x - 1) / q) + (1 - x) / (x + t))  # d2z/ds dt
    z3 = ((x - 1) / (x + t)) ** 2 / q  # d3z/ds dt2, up to sign below
    log_loss, floor, rest = _two_shares(e, c + s * z1)
    by_l = s * z2 * t * log10
    first = np.stack([floor, rest, rest * z1, rest * by_l], axis=1)

    def second(weights):
        out = np.zeros((len(theta), 4, 4))
        out[:, 0, 0] = np.einsum("mn,mn->m", weights, floor)
        base, slopes = weights * rest, (np.ones_like(rest), z1, by_l)
        for i in range(3):
            for j in range(i, 3):
                value = np.einsum("mn,mn,mn->m", base, slopes[i], slopes[j])
                if (i, j) == (1, 2):
                    value += np.einsum("mn,mn->m", base, z2 * t * log10)
                if (i, j) == (2, 2):
                    value += np.einsum("mn,mn->m", base, s * (z3 * t + z2) * t * log10**2)
                out[:, i + 1, j + 1] = out[:, j + 1, i + 1] = value
        return out

    return Terms(log_loss, first, second)


def _late_starts(u, loss, log_g) -> np.ndarray:
    e, a, alpha, late = _grid(E_GRID, A_GRID, ALPHA_GRID, ALPHA_GRID).T
    late = late - log_g / np.log(10)
    q = 1 + 10**late
    return np.stack([e, a - alpha * (np.log(q) + log_g), alpha / q, late], axis=1)


def _late_public(theta, log_g) -> dict:
    e, c, s, late = np.moveaxis(theta, -1, 0)
    q = 1 + 10.0**late
    return {"e": e, "a": c + s * q * (np.log(q) + log_g), "alpha": s * q, "lambda": late + log_g / np.log(10)}


# joint: coordinates e, c, alpha, d, beta; L = exp(e) + exp(c - alpha u) + exp(d - beta v)


def _joint(theta, uv) -> Terms:
    u, v = uv.T
    e, c, alpha, d, beta = _columns(theta)
    logs = np.stack([np.broadcast_to(e, (len(theta), len(u))), c - alpha * u, d - beta * v])
    top = logs.max(axis=0)
    shares = np.exp(logs - top)
    total = shares.sum(axis=0)
    floor, by_n, by_d = shares / total
    first = np.stack([floor, by_n, -by_n * u, by_d, -by_d * v], axis=1)

    def second(weights):
        out = np.zeros((len(theta), 5, 5))
        out[:, 0, 0] = np.einsum("mn,mn->m", weights, floor)
        for at, share, w in ((1, by_n, u), (3, by_d, v)):
            _exponential(out, at, (weights * share) @ np.stack([np.ones_like(w), -w, w**2], axis=1))
        return out

    return Terms(top + np.log(total), first, second)


def _joint_starts(u, loss, log_g) -> np.ndarray:
    e, a, alpha, b, beta = _grid(E_GRID, A_GRID, ALPHA_GRID, A_GRID, ALPHA_GRID).T
    return np.stack([e, a - alpha * log_g[0], alpha, b - beta * log_g[1], beta], axis=1)


def _joint_public(theta, log_g) -> dict:
    e, c, alpha, d, beta = np.moveaxis(theta, -1, 0)
    return {"e": e, "a": c + alpha * log_g[0], "alpha": alpha, "b": d + beta * log_g[1], "beta": beta}


# free: coordinates c, k, alpha; L = c + k (exp(-alpha u) - 1) / alpha. E = c - k / alpha may have any sign, and
# alpha = 0 is the log-linear law, which this family contains.


def _phi(t) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(exp(-t) - 1) / t and its first two derivatives, also near 0."""
    small = np.abs(t) < 0.5
    s = np.where(small, t, 0.0)
    coefficients = [(-1.0) ** (m + 1) / factorial(m + 1) for m in range(16)]
    series = []
    for _ in range(3):
        value = np.zeros_like(s)
        for c in reversed(coefficients):
            value = value * s + c
        series.append(value)
        coefficients = [m * c for m, c in enumerate(coefficients)][1:]
    t = np.where(small, 1.0, t)
    falling = np.exp(-t)
    zero = (falling - 1) / t
    one = (-falling - zero) / t
    two = (falling - 2 * one) / t
    return tuple(np.where(small, near, far) for near, far in zip(series, (zero, one, two), strict=True))


def _free(theta, u) -> Terms:
    c, k, alpha = _columns(theta)
    zero, one, two = _phi(alpha * u)
    slope, bent = u * zero, u**2 * one
    loss = _positive(c + k * slope)
    first = np.stack([1 / loss, slope / loss, k * bent / loss], axis=1)

    def second(weights):
        out = np.zeros((len(theta), 3, 3))
        out[:, 1, 2] = out[:, 2, 1] = np.einsum("mn,mn->m", weights, bent / loss)
        out[:, 2, 2] = np.einsum("mn,mn->m", weights, k * u**3 * two / loss)
        return out

    return Terms(np.log(loss), first, second)


def _positive(loss) -> np.ndarray:
    """NaN where L is not positive, outside the domain of the law; the solver avoids NaN."""
    return np.where(loss > 0, loss, np.nan)


def _linear_starts(alphas, u, loss) -> np.ndarray:
    """Starts for given alpha, where the free law is linear in its other parameters: least squares, flattened until L is
    positive everywhere."""
    out = []
    for alpha in alphas:
        g = u * _phi(alpha * u)[0]
        k, c = np.polyfit(g, loss, 1)
        while (c + k * g).min() <= 0.1 * loss.min():
            k, c = 0.8 * k, 0.8 * c + 0.2 * loss.mean()
        out.append((c, k, alpha))
    return np.array(out)


def _free_starts(u, loss, log_g) -> np.ndarray:
    return _linear_starts((-1.0, -0.5, -0.2, -0.05, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0), u, loss)


def _free_public(theta, log_g) -> dict:
    c, k, alpha = np.moveaxis(theta, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return {"E": c - k / alpha, "A": k / alpha * np.exp(alpha * log_g), "alpha": alpha}


# log-linear: coordinates c, k; L = c - k u


def _log_linear(theta, u) -> Terms:
    c, k = _columns(theta)
    loss = _positive(c - k * u)
    first = np.stack([1 / loss, -u / loss], axis=1)
    return Terms(np.log(loss), first, lambda weights: np.zeros((len(theta), 2, 2)))


def _log_linear_starts(u, loss, log_g) -> np.ndarray:
    return _linear_starts((0.0,), u, loss)[:, :2]


def _log_linear_public(theta, log_g) -> dict:
    c, k = np.moveaxis(theta, -1, 0)
    return {"c": c + k * log_g, "k": k}


_E, _C, _ALPHA = (-30.0, 2.0), (-30.0, 10.0), (-2.0, 30.0)
_TINY, _HUGE = 1e-6, 1e40


def _limits(log_g) -> dict:
    """Limits beyond which a parameter has no more effect; a late start five decades above or below the middle of X is
    equal to one at infinity, or to none."""
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
        _power,
        _power_starts,
        _power_public,
        (_E, _C, _ALPHA),
        _limits,
    ),
    "late": Law(
        "L = E + A (X + 10^lambda)^-alpha, E > 0",
        ("e", "c", "s", "l"),
        _late,
        _late_starts,
        _late_public,
        (_E, _C, (-2.0, 30.0), (-8.0, 8.0)),
        _limits,
    ),
    "joint": Law(
        "L = E + A N^-alpha + B D^-beta, E > 0",
        ("e", "c", "alpha", "d", "beta"),
        _joint,
        _joint_starts,
        _joint_public,
        (_E, _C, _ALPHA, _C, _ALPHA),
        _limits,
        variables=2,
    ),
    "free": Law(
        "L = E + A X^-alpha, E of any sign",
        ("c", "k", "alpha"),
        _free,
        _free_starts,
        _free_public,
        ((0.0, 10.0), (-10.0, 10.0), (-2.0, 30.0)),
        _free_limits,
    ),
    "log-linear": Law(
        "L = c - k log X",
        ("c", "k"),
        _log_linear,
        _log_linear_starts,
        _log_linear_public,
        ((0.0, 10.0), (-10.0, 10.0)),
        lambda log_g: {},
    ),
}
