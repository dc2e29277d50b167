"""What is written down about a score: its numbers, where they come from, and what they cost."""

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

N_RESAMPLED = 400  # that are written down: the error of a difference is then known to 4%, in 3 kB
CROSS_VALIDATED = "cross_validated"  # field of what `score --layers cv` finds
# Kept as they are where a benchmark gives them.
DETAILS = (
    "error", "interval", "chance", "subject_scores", "layer", "n_stimuli", "n_triplets", "accuracy", "simulated",
    "data", "n_neuroids", "mean_rdm_score", "partial", "left_out",
)  # fmt: skip


def outcome(model: str, benchmark: str, seconds: float = 0.0, failed: str | None = None) -> dict:
    """What every record has: the pair, when it was started, how it ended and why, and where.

    Parameters
    ----------
    seconds : since the pair was started.
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
    subjects = getattr(raw, "attrs", {}).get("subject_scores")  # where Brain-Score's own RSA keeps them
    if subjects is not None and "subject_scores" not in record:
        record["subject_scores"] = {str(i): float(value) for i, value in enumerate(subjects)}
    return record


def written(resampled, most: int = N_RESAMPLED) -> str:
    """Values on the first resamples of the stimuli, in one line.

    >>> written([0.5, 0.25])
    '0.50000 0.25000'
    """
    return " ".join(f"{value:.5f}" for value in resampled[:most])


def resampled_of(record: dict) -> np.ndarray | None:
    """Values of a score record on resamples of the stimuli; None where it has none, as those of Brain-Score's own
    benchmarks.

    (resamples,), or (2, resamples) where the second row is what the first spreads too far (``inference.overlaps``).
    """
    lines = [record[name].split() for name in ("resampled", "surplus") if record.get(name)]
    return np.array(lines if len(lines) == 2 else lines[0], float) if record.get("resampled") else None


def number(value) -> float | None:
    """One number: itself, the centre of Brain-Score's old pairs of centre and error, or None where there are many."""
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
    """Let `peak_memory` count from here (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak_memory() -> float | None:
    """Most memory that this process has held since then, in MB; None where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    most = re.search(r"VmHWM:\s+(\d+)", status)
    return round(int(most[1]) / 1024, 1) if most else None
