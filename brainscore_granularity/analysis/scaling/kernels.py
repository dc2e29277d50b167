"""The power law's loss, gradient and curvature in one pass over the rows, compiled by numba.

It computes the same as the general method in ``solve``, which needs about fifty passes over arrays and is used for the
other laws, and without numba. Rows that are not in a resample are skipped.
"""

from __future__ import annotations

import math

import numpy as np

from brainscore_granularity.stats.kernels import compiled


@compiled
def power_model(theta, table, which, u, target, width, squares):
    """Problem m: coordinates theta[m] = (e, c, alpha), weights table[which[m]], log losses target[which[m]].

    ``table`` and ``target`` may have a single row for all problems.
    """
    problems = len(theta)
    value, gradient, curvature = np.zeros(problems), np.zeros((problems, 3)), np.zeros((problems, 3, 3))
    for m in range(problems):
        weights = table[which[m] if len(table) > 1 else 0]
        observed = target[which[m] if len(target) > 1 else 0]
        e, c, alpha = theta[m, 0], theta[m, 1], theta[m, 2]
        loss = g0 = g1 = g2 = h00 = h01 = h02 = h11 = h12 = h22 = 0.0
        for i in range(len(u)):
            w = weights[i]
            if w == 0.0:
                continue
            above = c - alpha * u[i] - e
            ratio = math.exp(-abs(above))
            total = 1.0 + ratio
            floor, rest = 1.0 / total, ratio / total
            log_loss = e + math.log(total)
            if above > 0:
                floor, rest = rest, floor
                log_loss += above
            r = log_loss - observed[i]
            size = abs(r)
            inner = min(size, width)
            loss += w * inner * (size - inner / 2)
            pull = w * math.copysign(inner, r)
            slope = -rest * u[i]
            g0 += pull * floor
            g1 += pull * rest
            g2 += pull * slope
            if squares:
                bend, pull = w * inner / max(size, 1e-300), 0.0
            else:
                bend = (w if size <= width else 0.0) - pull
            h00 += bend * floor * floor + pull * floor
            h01 += bend * floor * rest
            h02 += bend * floor * slope
            h11 += bend * rest * rest + pull * rest
            h12 += bend * rest * slope + pull * slope
            h22 += bend * slope * slope - pull * slope * u[i]
        value[m] = loss if math.isfinite(loss) else np.inf
        gradient[m, 0], gradient[m, 1], gradient[m, 2] = g0, g1, g2
        curvature[m, 0, 0], curvature[m, 1, 1], curvature[m, 2, 2] = h00, h11, h22
        curvature[m, 0, 1] = curvature[m, 1, 0] = h01
        curvature[m, 0, 2] = curvature[m, 2, 0] = h02
        curvature[m, 1, 2] = curvature[m, 2, 1] = h12
    return value, gradient, curvature
