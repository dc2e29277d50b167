"""Minimise the Huber loss of log residuals from all starts on all resamples at once.

.. math:: \\sum_i w_i\\, h_\\delta(\\log \\hat L(x_i; \\theta) - \\log L_i), \\qquad
          h_\\delta(r) = r^2 / 2 \\text{ for } |r| \\le \\delta, \\text{ else } \\delta (|r| - \\delta / 2).

With delta = 0.001 and residuals of a few percent this is nearly a sum of absolute values, with many local minima close
to each other. So every start first descends on the same loss with a wide delta, starts that converge to
the same point are merged, and the best distinct points then descend with the final delta. The result does not depend on
how the work is divided, or on the number of threads.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from brainscore_granularity.threads import in_threads

from .laws import LAWS, Law

DELTA = 1e-3


class Stage(NamedTuple):
    width: float  # Huber's delta
    iterations: int  # largest number
    keep: int  # number of distinct points of a resample that enter the next stage
    alike: float  # points with a smaller relative difference of objectives are merged
    squares: bool = False  # use the curvature of weighted squares, which is never negative


# The rough stages use the curvature of a sum of squares, which converges from any start; the first uses only some rows.
# Points that have not fully converged are kept, because their variety helps to search the loss that is not smooth.
ROUGH = (Stage(0.3, 3, 24, 1e-3), Stage(0.1, 4, 14, 1e-4))
FINE = (Stage(DELTA, 40, 6, 1e-8), Stage(DELTA, 60, 4, 1e-9))
SOME_ROWS = 128
MORE = 4  # times as many points are kept for laws of more than three coordinates, and for few rows, which are cheap
CELLS = 16_000  # problems x rows in one piece of work, so that it fits in the cache


class Solution(NamedTuple):
    """Best minimum of every resample, and the others that were found."""

    theta: np.ndarray  # (b, p)
    loss: np.ndarray  # (b,), infinite (and theta NaN) where no start lies in the law's domain
    others: np.ndarray  # (b, k, p), best first; rows of NaN where fewer were found


def minimise(
    law: Law, u, loss, starts, weights=None, fixed=(), delta: float = DELTA, thorough: bool = True
) -> Solution:
    """Best parameters for every resample.

    Parameters
    ----------
    law : Law
    u : (n,) or (n, 2)
        log X about its mean, as the law takes it.
    loss : (n,) or (b, n)
        Misalignment; (b, n) for data sets with the same X but different losses.
    starts : (s, p) or (b, s, p)
    weights : (b, n), optional
        How often each row is in each resample; by default one resample with every row once.
    fixed : indices of parameters that stay at their starting values.
    delta : float
    thorough : bool
        Search more minima if there are many, or if searching is cheap.

    Returns
    -------
    Solution
    """
    u, loss, starts = np.asarray(u, float), np.asarray(loss, float), np.asarray(starts, float)
    resamples = len(weights) if weights is not None else len(loss) if loss.ndim == 2 else 1
    weights = np.ones((1, len(u))) if weights is None else np.asarray(weights, float)
    _kernel()  # compile it before threads use it
    target = np.log(np.atleast_2d(loss))
    free = np.array([i for i in range(len(law.coordinates)) if i not in fixed])
    hard = len(law.coordinates) > 3 or len(u) <= SOME_ROWS
    more = MORE if thorough and hard else 1
    stages = [s._replace(width=max(s.width, delta), keep=s.keep * more, squares=True) for s in ROUGH]
    stages += [s._replace(width=delta) for s in FINE]
    along = np.argsort(u if u.ndim == 1 else u.sum(axis=1), kind="stable")
    some = along[:: -(-len(u) // SOME_ROWS)]
    parts = [p for p in np.array_split(np.arange(resamples), max(1, resamples // 16)) if len(p)]

    def part(which):
        of = np.repeat(which, starts.shape[-2])
        theta = np.concatenate([starts[b] for b in which]) if starts.ndim == 3 else np.tile(starts, (len(which), 1))
        for i, stage in enumerate(stages):
            rows = some if i == 0 else slice(None)
            theta, value = _descend(
                law, np.ascontiguousarray(u[rows]), target[:, rows], weights[:, rows], of, theta, stage, free
            )
            of, theta, value = _merge(of, theta, value, stage)
        return of, theta, value

    done = in_threads(part, parts)
    of, theta, value = (np.concatenate(column) for column in zip(*done, strict=True))
    most = FINE[-1].keep
    others = np.full((resamples, most, theta.shape[1]), np.nan)
    first = np.searchsorted(of, np.arange(resamples))
    rank = np.arange(len(of)) - first[of]
    others[of, rank] = theta
    lowest = np.full(resamples, np.inf)
    lowest[of[rank == 0]] = value[rank == 0]
    return Solution(others[:, 0], lowest, others)


def _descend(law, u, target, weights, of, theta, stage, free):
    """Minimise every problem; problem m belongs to resample of[m]."""
    size = max(1, CELLS // len(u))
    pieces = [slice(begin, begin + size) for begin in range(0, len(theta), size)]
    done = [_newton(law, u, target, weights, of[piece], theta[piece], stage, free) for piece in pieces]
    return tuple(np.concatenate(column) for column in zip(*done, strict=True))


def _newton(law, u, target, weights, of, theta, stage, free):
    theta = theta.copy()
    value, gradient, curvature = _model(law, u, target, weights, of, theta, stage, free)
    low, high = np.array(law.box).T[:, free]
    damping = np.full(len(theta), 1e-3)
    alive = np.flatnonzero(np.isfinite(value))
    for _ in range(stage.iterations):
        if not len(alive):
            break
        step = _step(gradient[alive], curvature[alive], damping[alive])
        trial = theta[alive].copy()
        trial[:, free] = np.clip(trial[:, free] + step, low, high)
        promised = -(gradient[alive] * (trial - theta[alive])[:, free]).sum(axis=1)
        new, new_gradient, new_curvature = _model(law, u, target, weights, of[alive], trial, stage, free)
        better = new < value[alive]
        gain = np.where(better, value[alive] - new, 0.0)
        small = np.where(better, gain, promised) <= 1e-12 + stage.alike * 1e-2 * value[alive]
        took = alive[better]
        theta[took], value[took] = trial[better], new[better]
        gradient[took], curvature[took] = new_gradient[better], new_curvature[better]
        damping[alive] = np.where(better, damping[alive] / 8, damping[alive] * 6)
        damping[alive] = np.clip(damping[alive], 1e-9, 1e12)
        alive = alive[~small]
    return theta, value


def _model(law, u, target, weights, of, theta, stage, free):
    """Objective, gradient and a curvature for every problem; problem m belongs to resample of[m]."""
    power = _kernel() if law is LAWS["power"] else None
    if power:
        value, gradient, curvature = power(theta, weights, of, u, target, stage.width, stage.squares)
    else:
        value, gradient, curvature = _general(law, u, target, weights, of, theta, stage)
    return value, gradient[:, free], curvature[:, free[:, None], free]


def _general(law, u, target, weights, of, theta, stage):
    y, w = (table if len(table) == 1 else table[of] for table in (target, weights))
    terms = law.terms(theta, u)
    r = terms.log_loss - y
    size = np.abs(r)
    inner = np.minimum(size, stage.width)
    value = (w * inner * (size - inner / 2)).sum(axis=1)
    value = np.where(np.isfinite(value), value, np.inf)
    pull = w * np.copysign(inner, r)
    gradient = np.matmul(terms.first, pull[..., None])[..., 0]
    if stage.squares:
        scaled = terms.first * (w * inner / np.maximum(size, 1e-300))[:, None]
        return value, gradient, np.matmul(scaled, terms.first.transpose(0, 2, 1))
    scaled = terms.first * (w * (size <= stage.width) - pull)[:, None]
    return value, gradient, np.matmul(scaled, terms.first.transpose(0, 2, 1)) + terms.second(pull)


@cache
def _kernel():
    """The compiled power law, or None without numba."""
    try:
        from .kernels import power_model
    except ImportError:
        return None
    return power_model


def _step(gradient, curvature, damping):
    """Newton step in coordinates scaled to equal curvature; directions of negative curvature are reversed.

    Without the scaling, a coordinate with little effect on the loss, such as log E when E is nearly 0, would not move.
    """
    ok = np.isfinite(curvature).all(axis=(1, 2)) & np.isfinite(gradient).all(axis=1)
    curvature = np.where(ok[:, None, None], curvature, 0.0)
    gradient = np.where(ok[:, None], gradient, 0.0)
    diagonal = np.abs(np.einsum("mii->mi", curvature))
    scale = 1 / np.sqrt(np.maximum(diagonal, 1e-100 + 1e-30 * diagonal.max(axis=1, keepdims=True)))
    values, vectors = np.linalg.eigh(curvature * scale[:, :, None] * scale[:, None])
    along = np.einsum("mij,mi->mj", vectors, gradient * scale)
    return -scale * np.einsum("mij,mj->mi", vectors, along / (np.abs(values) + damping[:, None]))


def _merge(of, theta, value, stage):
    """The best distinct points of every resample, best first."""
    order = np.lexsort((value, of))
    of, theta, value = of[order], theta[order], value[order]
    finite = np.isfinite(value)
    of, theta, value = of[finite], theta[finite], value[finite]
    alike = (np.diff(value) <= stage.alike * value[1:] + 1e-12) & (of[1:] == of[:-1])
    distinct = np.r_[True, ~alike]
    of, theta, value = of[distinct], theta[distinct], value[distinct]
    chosen = np.arange(len(of)) - np.searchsorted(of, of) < stage.keep
    return of[chosen], theta[chosen], value[chosen]
