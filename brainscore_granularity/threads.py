"""Distribute independent jobs over the cores that this process may use."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor


def cores() -> int:
    """Number of cores that this process may use, or OMP_NUM_THREADS if that is smaller."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(allowed, int(asked)) if asked.isdigit() and int(asked) > 0 else allowed


def in_threads(function, jobs, workers: int | None = None) -> list:
    """``[function(job) for job in jobs]`` over threads, for functions that release the interpreter lock.

    >>> in_threads(abs, [-1, -2, 3])
    [1, 2, 3]
    """
    workers = min(workers or cores(), len(jobs))
    if workers <= 1:
        return [function(job) for job in jobs]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, jobs))
