"""Estimated cost of a grid: from the records of past scores, or from one batch of images through the model."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass

from brainscore_granularity.brains import recorder

from .environment import network
from .results import describe
from .session import Session


@dataclass(frozen=True)
class Cost:
    seconds: float
    memory_mb: float | None
    source: str  # "records" or "one batch"


def costs(
    pairs: Iterable[tuple[str, str]], records: list[dict], session: Session
) -> dict[tuple[str, str], Cost | None]:
    """Cost of each pair; None where the model cannot be loaded or tried.

    The cost is the median over records of the same benchmark with models of the same family. Without such records, one
    batch is timed, once for each family and benchmark.
    """
    past: dict[tuple[str, str], list[dict]] = {}
    for record in records:
        if record["status"] == "ok" and record.get("seconds"):
            past.setdefault((describe(record["model"])["family"], record["benchmark"]), []).append(record)
    estimates: dict[tuple[str, str], Cost | None] = {}
    found: dict[tuple[str, str], Cost | None] = {}
    for model, benchmark in pairs:
        key = describe(model)["family"], benchmark
        if key not in estimates:
            estimates[key] = _from_records(past[key]) if key in past else _from_one_batch(session, model, benchmark)
        found[model, benchmark] = estimates[key]
    return found


def _from_records(records: list[dict]) -> Cost:
    memory = [record["peak_memory_mb"] for record in records if record.get("peak_memory_mb")]
    seconds = statistics.median(record["seconds"] for record in records)
    return Cost(seconds, statistics.median(memory) if memory else None, "records")


def _from_one_batch(session: Session, model: str, name: str) -> Cost | None:
    """Time and memory of the activations alone; the cost of the benchmark is not known before its first score."""
    try:
        with network(session.offline):
            benchmark, candidate = session.benchmark(name), session.load(model, name)
            wanted = recorder.needs(
                benchmark, recorder.image_lists(benchmark, candidate), candidate, session.all_layers
            )
            stimuli = max(recorder.stimulus_sets(benchmark), key=len)
            extractor = candidate.activations_model._extractor
            images = max(len(need.images) for need in wanted)
            layers = list(dict.fromkeys(layer for need in wanted for layer in need.layers))
            paths = [
                str(stimuli.get_stimulus(stimulus)) for stimulus in stimuli["stimulus_id"][: extractor._batch_size]
            ]
            start = time.monotonic()
            batch = extractor._get_batch_activations(paths, layers, extractor._batch_size, False, 0)
            seconds = (time.monotonic() - start) * -(-images // extractor._batch_size)
    except Exception:  # noqa: S112  scoring will report the error
        return None
    megabytes = sum(array[0].nbytes for array in batch.values()) * images / 2**20
    return Cost(seconds, megabytes, "one batch")
