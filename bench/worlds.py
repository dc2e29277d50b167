"""Simulated worlds, drawn and judged in parallel, with progress and the time left on stderr."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np

from brainscore_granularity.progress import progress


class Worlds:
    """How many worlds a row has, and what a function says of each of them.

    >>> Worlds(4, workers=1)(str.isdigit, of=["1", "2", "x", "4"])
    {'': 75.0}
    """

    def __init__(self, worlds: int, workers: int | None = None):
        self.worlds, self.workers = worlds, workers or os.cpu_count() or 1

    def answers(self, function, of=None, title: str | None = None) -> list:
        """function(world) for every world, by default for the numbers from 0."""
        of = range(self.worlds) if of is None else of
        found = []
        workers = ProcessPoolExecutor(self.workers, initializer=_one_thread)
        with workers as pool, progress(title or named(function), len(of)) as advance:
            for answer in pool.map(function, of, chunksize=max(1, len(of) // (50 * self.workers))):
                found.append(answer)
                advance()
        return found

    def __call__(self, function, of=None, title: str | None = None) -> dict[str, float]:
        """Percentage of worlds in which ``function`` says yes, by name of what it asks; one question has no name."""
        answers = self.answers(function, of, title)
        if not isinstance(answers[0], dict):
            return {"": 100 * float(np.mean(answers))}
        return {name: 100 * float(np.mean([answer[name] for answer in answers])) for name in answers[0]}

    def times(self, factor: float) -> Worlds:
        """More worlds, or fewer; at least one."""
        return Worlds(max(1, round(factor * self.worlds)), self.workers)


def _one_thread() -> None:
    """Of a worker process only: the process that asks keeps its own setting."""
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"


def named(function) -> str:
    """Name of a function, and the numbers that it is given.

    >>> named(partial(named, images=60))
    'named images=60'
    """
    if not isinstance(function, partial):
        return function.__name__
    return " ".join([function.func.__name__, *(f"{name}={value}" for name, value in function.keywords.items())])
