"""Models x benchmarks -> scores, through Brain-Score's own loading and scoring."""

from __future__ import annotations

import errno
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__, results
from .progress import progress

if TYPE_CHECKING:
    import pandas


def score_grid(
    models: Iterable[str],
    benchmarks: Iterable[str],
    folder: Path | str = "results",
    warn: Callable[[str], None] = print,
) -> pandas.DataFrame:
    """Score every model on every benchmark; a rerun computes only what is missing, failed or stale.

    Each pair goes through what ``brainscore_vision.score`` does (load_model, load_benchmark, score_benchmark), so the
    values are the same. A pair that fails is recorded with its reason and the grid goes on. A score is stale when
    the checkpoint, the layer commitment or the benchmark's version has changed.

    Parameters
    ----------
    models, benchmarks : Brain-Score identifiers.
    folder : where the results are; one JSON file a score.
    warn : called with a line for every problem.

    Returns
    -------
    The tidy table of this grid, see `results.table`.
    """
    models, folder = list(models), Path(folder)
    loaded = {name: _load_benchmark(name) for name in benchmarks}
    pairs = {model: _missing(folder, model, loaded, warn) for model in models}
    with progress("scoring", sum(len(missing) for missing in pairs.values())) as advance:
        for model, missing in pairs.items():
            candidate = None
            for name in missing:
                record, candidate = _score_pair(model, candidate, name, loaded[name])
                results.write(folder, record)
                if record["status"] == "failed":
                    warn(f"{model} on {name} failed: {record['reason']}")
                advance(f"{model} on {name}")
    records = (results.read(folder, model, name, warn) for model in models for name in loaded)
    return results.table([record for record in records if record is not None])


def fingerprint(model: str, benchmark) -> dict:
    """What a score depends on; a stored score with another fingerprint is stale."""
    from .brain_model import commitment_of

    checkpoint, layers = commitment_of(model)
    return {"checkpoint": checkpoint, "layers": layers, "benchmark_version": benchmark.version}


def _missing(folder: Path, model: str, benchmarks: dict, warn) -> list[str]:
    missing = []
    for name, benchmark in benchmarks.items():
        record = results.read(folder, model, name, warn)
        done = record is not None and record["status"] == "ok"
        if not done or record.get("fingerprint") != fingerprint(model, benchmark):
            missing.append(name)
    return missing


def _score_pair(model: str, candidate, name: str, benchmark) -> tuple[dict, object]:
    """Score one pair; returns its record and the loaded model, for the next pair."""
    from brainscore_core.benchmarks import score_benchmark
    from brainscore_vision import load_model

    record = {"model": model, "benchmark": name, "started": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
    start = time.monotonic()
    try:
        record["fingerprint"] = fingerprint(model, benchmark)
        record["checkpoint"] = record["fingerprint"]["checkpoint"]
        candidate = candidate or load_model(model)
        record |= describe_score(score_benchmark(benchmark, candidate))
        record["status"] = "ok"
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # the next pair would fail as well
        record |= {"status": "failed", "reason": f"{type(error).__name__}: {error}"}
    record |= {"seconds": round(time.monotonic() - start, 3), **provenance()}
    return record, candidate


def describe_score(score) -> dict:
    """A Brain-Score Score as plain numbers and words."""
    attrs = score.attrs
    record = {"value": float(score), "raw": float(attrs["raw"]) if "raw" in attrs else None}
    if (ceiling := attrs.get("ceiling")) is not None:
        upper = float(ceiling)
        known = getattr(ceiling, "attrs", {})
        record["ceiling"] = {"lower": known.get("lower", upper), "upper": known.get("upper", upper)}
        if known.get("kind") == "unknown":  # the value is the raw score
            record["ceiling"] = {"lower": None, "upper": None}
        if "kind" in known:
            record["ceiling"]["kind"] = known["kind"]
    for key in (
        "error", "interval", "chance", "subject_scores", "layer", "n_stimuli", "n_triplets", "accuracy", "simulated",
        "data", "n_neuroids", "mean_rdm_score", "partial",
    ):  # fmt: skip
        if key in attrs:
            record[key] = attrs[key]
    return record


@lru_cache
def provenance() -> dict:
    """Versions and commit, the same for every score of a process."""
    packages = ("brainscore_vision", "brainscore_core", "torch", "numpy")
    versions = {"brainscore_granularity": __version__, **{name: version(name) for name in packages}}
    commit = None
    if (Path(__file__).parents[1] / ".git").exists():
        command = ["git", "-C", str(Path(__file__).parents[1]), "describe", "--always", "--dirty"]
        commit = subprocess.run(command, capture_output=True, text=True).stdout.strip() or None
    return {"versions": {"python": platform.python_version(), **versions}, "git_commit": commit, "process": os.getpid()}


def _load_benchmark(name: str):
    from brainscore_vision import load_benchmark

    return load_benchmark(name)
