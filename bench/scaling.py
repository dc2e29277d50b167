"""Scaling fits against scipy: both sides in one run, on the same points and from the same starts.

    python -m bench.scaling                      a simulated table of 620 rows
    python -m bench.scaling --data folder        the public table

"Theirs" is the published way: scipy's BFGS with numerical gradients from each of the 150 starts, the Huber loss in
numpy. ``--quick`` takes fewer resamples and scales.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from bench.rsa import line, seconds
from brainscore_granularity.analysis import scaling
from brainscore_granularity.analysis.scaling import study
from brainscore_granularity.analysis.scaling.positive_floor import A_GRID, ALPHA_GRID, E_GRID
from brainscore_granularity.analysis.scaling.solve import DELTA


def simulated(rows: int = 620) -> scaling.Points:
    rng = np.random.default_rng(0)
    x = 10 ** rng.uniform(-1, 7, rows)
    loss = (0.5 + 0.5 * (x + 1) ** -0.16) * np.exp(rng.laplace(0, 0.1, rows))
    return scaling.Points(x, np.minimum(loss, 1.2), np.arange(rows), ("x",), (1.0,))


STARTS = [(e, a, alpha) for e in E_GRID for a in A_GRID for alpha in ALPHA_GRID]


def scipy_fits(points: scaling.Points, starts=STARTS) -> list:
    """One BFGS run a start, as published."""
    log_x, log_loss = np.log(points.x), np.log(points.loss)

    def objective(p):
        with np.errstate(all="ignore"):
            size = np.abs(np.log(np.exp(p[1] - p[2] * log_x) + np.exp(p[0])) - log_loss)
            return np.where(size <= DELTA, size**2 / 2, DELTA * (size - DELTA / 2)).sum()

    with np.errstate(all="ignore"):
        return [minimize(objective, start, method="BFGS") for start in starts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of benchmark_scores.csv")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.data:
        points = study.published_points(scaling.read(options.data / "benchmark_scores.csv"), "compute_neuro")
    else:
        points = simulated()
    print(f"{len(points)} rows, {'public table' if options.data else 'simulated'}; {os.cpu_count()} cores")
    scaling.fit(points)
    found, runs = [], []
    ours = seconds(lambda: found.append(scaling.fit(points)), 5)
    theirs = seconds(lambda: runs.append(scipy_fits(points)))
    best = min(run.fun for run in runs[0])
    line(f"one fit, 150 starts, {len(points)} rows", "150 scipy BFGS runs", theirs, ours, 20,
         f"loss, ours - theirs {found[0].loss - best:+.1e}")  # fmt: skip
    n = 100 if options.quick else 1000
    for what, every in (("all starts", True), ("the minima found and a dozen starts", False)):
        spent = time.process_time()
        wall = seconds(lambda every=every: scaling.bootstrap(found[0], n, "row", 42, all_starts=every)) * 1000 / n
        spent = (time.process_time() - spent) * 1000 / n
        asked = (
            f"asked: below 30 s: {'reached' if wall < 30 else 'NOT reached'}" if every else "what is used by default"
        )
        note = f" ({n} timed)" if n < 1000 else ""
        print(f"1,000 resamples of it{note}, from {what} | {wall:.1f} s, {spent:.1f} s of cores | {asked}", flush=True)


if __name__ == "__main__":
    main()
