"""Do the intervals of scaling fits cover, and is the right law found? Writes docs/calibration_scaling.md.

    python -m bench.calibrate_scaling                  400 worlds a row
    python -m bench.calibrate_scaling --worlds 20 --output /dev/stdout

A world is 40 models, X spread over five decades, three seeds a model. log L has noise of its own for every model (3%)
and every seed (1.5%), so that rows of one model are not independent.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np

from bench.calibration_page import row
from bench.worlds import Worlds
from brainscore_granularity.analysis import scaling

MODELS, SEEDS, DECADES = 40, 3, 5
OF_MODEL, OF_SEED = 0.03, 0.015
TRUTH = {"E": 0.5, "A": 0.6, "alpha": 0.25}
RESAMPLES = 150


def power(x) -> np.ndarray:
    return TRUTH["E"] + TRUTH["A"] * x ** -TRUTH["alpha"]


def log_linear(x) -> np.ndarray:
    """From the same value at X = 1 to nearly the same at the other end."""
    return 1.1 - 0.05 * np.log(x)


def world(seed: int, law=power, models: int = MODELS) -> scaling.Points:
    """Noisy points of one simulated study."""
    rng = np.random.default_rng([8, seed])
    x = np.repeat(10 ** rng.uniform(0, DECADES, models), SEEDS)
    noise = np.repeat(rng.normal(0, OF_MODEL, models), SEEDS) + rng.normal(0, OF_SEED, SEEDS * models)
    return scaling.Points(x, law(x) * np.exp(noise), np.repeat(np.arange(models), SEEDS), ("x",), (1.0,))


def coverage(seed: int, by: str, resamples: int = RESAMPLES) -> dict[str, bool]:
    """Whether each 95% interval contains the truth."""
    found = scaling.fit(world(seed))
    drawn = scaling.bootstrap(found, resamples, by, seed)
    intervals = {name: (drawn.interval(name), true) for name, true in TRUTH.items()}
    for x in (10.0, 1e3, 1e5):
        intervals[f"curve at X = {x:g}"] = tuple(end[0] for end in drawn.band(np.array([x]))), power(x)
    return {name: bool(low <= true <= high) for name, ((low, high), true) in intervals.items()}


def chosen(seed: int, law, name: str, models: int = MODELS) -> bool:
    """Whether the law that made the data has the lower error ahead of the cuts."""
    return scaling.compare(world(seed, law, models), ("power", "log-linear"), n=2, seed=seed).best == name


ROWS = [
    (partial(coverage, by="model"), "resamples of models, {}: coverage of a 95% interval", (93, 97)),
    (partial(coverage, by="row"), "resamples of rows, {}: coverage of a 95% interval", None),
    (partial(chosen, law=power, name="power"), "a power law made the data, 40 models: it is chosen", (90, 100)),
    (partial(chosen, law=log_linear, name="log-linear"), "a log-linear law, 40 models: it is chosen", (90, 100)),
    (partial(chosen, law=power, name="power", models=15), "a power law, 15 models: it is chosen", None),
    (partial(chosen, law=log_linear, name="log-linear", models=15), "a log-linear law, 15 models: it is chosen", None),
]
HEAD = """# Calibration of scaling fits

Written by `make calibrate` (`python -m bench.calibrate_scaling`), {worlds} simulated worlds a row, seeds fixed; the
worlds are described in `bench/calibrate_scaling.py`. The +- is the standard error of the percentage. Rows without a
range are shown for comparison: resampling rows, as the published intervals do, takes three seeds of a model for three
models. A smaller version runs in `make test`.

The range for coverage was asked for. The range for choosing the law is ours.

| what | reached | asked | holds |
|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--worlds", type=int, default=400)
    parser.add_argument("--workers", type=int, help="processes; default: one for each core")
    default = Path(__file__).parents[1] / "docs" / "calibration_scaling.md"
    parser.add_argument("--output", type=Path, default=default)
    options = parser.parse_args()
    worlds, lines = Worlds(options.worlds, options.workers), []
    for function, name, asked in ROWS:
        for method, rate in worlds(function).items():
            lines.append(row(name.format(method), rate, options.worlds, asked or "none"))
    options.output.write_text(HEAD.format(worlds=f"{options.worlds:,}") + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
