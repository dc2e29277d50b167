"""The laws with E > 0: power, late and joint; e = log E. Their coordinates are described in `laws`."""

from __future__ import annotations

from itertools import product

import numpy as np

from .terms import Terms, columns

# The published grids of starting points (Gokce & Schrimpf 2025); lambda and beta start like alpha, b like a.
E_GRID = (-1.0, -0.5, 0.0, 0.5, 1.0)
A_GRID = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0)
ALPHA_GRID = (0.0, 0.5, 1.0, 1.5, 2.0)


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


# power: coordinates e, c, alpha; L = exp(e) + exp(c - alpha u)


def power(theta, u) -> Terms:
    e, c, alpha = columns(theta)
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


def power_starts(u, loss, log_g) -> np.ndarray:
    e, a, alpha = _grid(E_GRID, A_GRID, ALPHA_GRID).T
    return np.stack([e, a - alpha * log_g, alpha], axis=1)


def power_public(theta, log_g) -> dict:
    e, c, alpha = np.moveaxis(theta, -1, 0)
    return {"e": e, "a": c + alpha * log_g, "alpha": alpha}


# late: coordinates e, c, s, l; t = 10^l, L = exp(e) + exp(c - s (1 + t) log((x + t) / (1 + t))). s is the slope at
# x = 1, so that the way to t, alpha -> infinity, where L becomes exponential in x, is straight.


def late(theta, u) -> Terms:
    e, c, s, late = columns(theta)
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


def late_starts(u, loss, log_g) -> np.ndarray:
    e, a, alpha, late = _grid(E_GRID, A_GRID, ALPHA_GRID, ALPHA_GRID).T
    late = late - log_g / np.log(10)
    q = 1 + 10**late
    return np.stack([e, a - alpha * (np.log(q) + log_g), alpha / q, late], axis=1)


def late_public(theta, log_g) -> dict:
    e, c, s, late = np.moveaxis(theta, -1, 0)
    q = 1 + 10.0**late
    return {"e": e, "a": c + s * q * (np.log(q) + log_g), "alpha": s * q, "lambda": late + log_g / np.log(10)}


# joint: coordinates e, c, alpha, d, beta; L = exp(e) + exp(c - alpha u) + exp(d - beta v)


def joint(theta, uv) -> Terms:
    u, v = uv.T
    e, c, alpha, d, beta = columns(theta)
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


def joint_starts(u, loss, log_g) -> np.ndarray:
    e, a, alpha, b, beta = _grid(E_GRID, A_GRID, ALPHA_GRID, A_GRID, ALPHA_GRID).T
    return np.stack([e, a - alpha * log_g[0], alpha, b - beta * log_g[1], beta], axis=1)


def joint_public(theta, log_g) -> dict:
    e, c, alpha, d, beta = np.moveaxis(theta, -1, 0)
    return {"e": e, "a": c + alpha * log_g[0], "alpha": alpha, "b": d + beta * log_g[1], "beta": beta}
