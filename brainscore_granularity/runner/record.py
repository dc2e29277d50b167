"""The record of a score: its numbers, their provenance, and their cost in time and memory."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from brainscore_granularity import __version__

N_RESAMPLED = 400  # resampled values per record, 3 kB: they give the error of a difference to within 4%
CROSS_VALIDATED = "cross_validated"  # field with the result of `score --layers cv`
# Attributes of a score that are copied into the record if the benchmark sets them.
DETAILS = (
    "error", "interval", "chance", "subject_scores", "layer", "n_stimuli", "n_triplets", "accuracy", "simulated",
    "data", "n_neuroids", "mean_rdm_score", "partial", "scalings", "left_out", "missing", "population_scores",
    "normalised",
)  # fmt: skip


def outcome(model: str, benchmark: str, seconds: float = 0.0, failed: str | None = None) -> dict:
    """The fields of every record: the pair, when it was started, how it ended and why, and on which computer.

    Parameters
    ----------
    seconds : time since the pair was started.
    failed : the reason why there is no score; None if there is one.
    """
    started = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(time.time() - seconds))
    status = {"status": "ok"} if failed is None else {"status": "failed", "reason": failed}
    pair = {"model": model, "benchmark": benchmark, "started": started}
    return {**pair, **status, "seconds": round(seconds, 3), **provenance()}


def describe_score(score) -> dict:
    """A Brain-Score Score as plain numbers and words."""
    attrs = score.attrs
    raw = attrs.get("raw")
    record: dict[str, Any] = {"value": number(score), "raw": number(raw)}
    if (ceiling := attrs.get("ceiling")) is not None:
        known, upper = getattr(ceiling, "attrs", {}), number(ceiling)
        lower = known.get("lower", known.get("lower_bound_loo", upper))
        record["ceiling"] = {"lower": lower, "upper": known.get("upper", upper)}
        if known.get("kind") == "unknown":  # the value is the raw score
            record["ceiling"] = {"lower": None, "upper": None}
        if "kind" in known:
            record["ceiling"]["kind"] = known["kind"]
    record |= {key: attrs[key] for key in DETAILS if key in attrs}
    if "resampled" in attrs:
        record["resampled"] = written(attrs["resampled"])
    if "surplus" in attrs:
        record["surplus"] = written(attrs["surplus"])
    if "error" in record:
        record["error"] = number(record["error"])
    subjects = getattr(raw, "attrs", {}).get("subject_scores")  # the place used by Brain-Score's own RSA
    if subjects is not None and "subject_scores" not in record:
        record["subject_scores"] = {str(i): float(value) for i, value in enumerate(subjects)}
    return record


def written(resampled, most: int = N_RESAMPLED) -> str:
    """Values on the first ``most`` resamples of the stimuli, as one line of text.

    >>> written([0.5, 0.25])
    '0.50000 0.25000'
    """
    return " ".join(f"{value:.5f}" for value in resampled[:most])


def resampled_of(record: dict) -> np.ndarray | None:
    """Values of a score record on resamples of the stimuli; None if it has none, as for Brain-Score's own benchmarks.

    (resamples,), or (2, resamples) where the second row is the surplus of the first (see ``stats.overlaps``).
    """
    lines = [record[name].split() for name in ("resampled", "surplus") if record.get(name)]
    return np.array(lines if len(lines) == 2 else lines[0], float) if record.get("resampled") else None


def number(value) -> float | None:
    """A score as one number; the centre of Brain-Score's older pairs (centre, error); None if it has many values."""
    if value is None:
        return None
    if getattr(value, "dims", None) == ("aggregation",):
        value = value.sel(aggregation="center")
    values = np.asarray(value)
    return float(values.reshape(())) if values.size == 1 else None


@lru_cache
def provenance() -> dict:
    """Versions, commit and computer, the same for every score of a process."""
    packages = ("brainscore_vision", "brainscore_core", "torch", "numpy")
    versions = {"brainscore_granularity": __version__, **{name: version(name) for name in packages}}
    commit = None
    if (Path(__file__).parents[2] / ".git").exists():
        command = ["git", "-C", str(Path(__file__).parents[2]), "describe", "--always", "--dirty"]
        commit = subprocess.run(command, capture_output=True, text=True).stdout.strip() or None
    return {
        "versions": {"python": platform.python_version(), **versions},
        "git_commit": commit,
        "process": os.getpid(),
        "computer": platform.node(),
    }


def start_measuring_memory() -> None:
    """Reset the counter that `peak_memory` reads (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak_memory() -> float | None:
    """Peak memory of this process since `start_measuring_memory`, in MB; None if the system does not report it."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    most = re.search(r"VmHWM:\s+(\d+)", status)
    return round(int(most[1]) / 1024, 1) if most else None
