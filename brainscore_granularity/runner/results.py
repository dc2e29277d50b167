"""Results: one JSON file for each score, always written completely; tidy tables are made from them.

The files are ``<folder>/<benchmark>/<model>.json``. A failed pair has a file too, with its reason. A damaged file is
renamed to ``<model>.json.damaged`` and reported, and its score is computed again.
"""

from __future__ import annotations

import gc
import json
import math
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from brainscore_granularity.paths import write_atomically
from brainscore_granularity.weights import identifiers

from .record import CROSS_VALIDATED

if TYPE_CHECKING:
    import pandas


def path(folder: Path, model: str, benchmark: str) -> Path:
    return Path(folder) / _file_name(benchmark) / f"{_file_name(model)}.json"


def write(folder: Path, record: dict) -> Path:
    """Write one score; ``record`` has at least model, benchmark and status."""
    where = path(folder, record["model"], record["benchmark"])
    write_atomically(where, json.dumps(_plain(record), indent=1, allow_nan=False) + "\n")
    return where


def read(folder: Path, model: str, benchmark: str, warn=None) -> dict | None:
    """One score, or None where there is none; a damaged file is moved aside and reported through ``warn``."""
    return _load(path(folder, model, benchmark), warn)


def read_all(folder: Path, warn=None) -> list[dict]:
    """All scores under a folder, by benchmark and model."""
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"no results folder {folder}; `granularity demo` or score_grid() makes one")
    with _many_objects():
        records = (_load(file, warn) for file in sorted(Path(folder).glob("*/*.json")))
        return [record for record in records if record is not None]


def cross_validated(records: list[dict]) -> list[dict]:
    """Records with the cross-validated score (layer chosen on the other half of the stimuli) as their score.

    Pairs that were not scored with ``score --layers cv`` are left out, so that scores of committed layers never mix
    with these. ``layer`` names the layer that was chosen most often, and how often.
    """
    found = []
    for record in records:
        chosen = record.get(CROSS_VALIDATED)
        if record["status"] != "ok" or not chosen:
            continue
        if "value" not in chosen:
            found.append({**record, "status": "failed", "reason": chosen.get("reason")})
            continue
        layer, share = next(iter(chosen["chosen"].items()))
        # These fields belong to the committed layer.
        rest = (
            "subject_scores",
            "mean_rdm_score",
            "partial",
            "scalings",
            "layers",
            "resampled",
            "surplus",
            CROSS_VALIDATED,
        )
        kept = {key: value for key, value in record.items() if key not in rest}
        numbers = {key: chosen[key] for key in ("value", "raw", "error", "interval", "fingerprint")}
        numbers |= {key: chosen[key] for key in ("resampled", "surplus") if key in chosen}
        found.append({**kept, **numbers, "layer": f"{layer} in {share:.0%} of halves"})
    return found


def table(records: list[dict]) -> pandas.DataFrame:
    """Tidy table, one row per score; the granularity of our own models is read from their ids."""
    import pandas as pd

    rows = []
    for record in records:
        low, high = record.get("interval") or (math.nan, math.nan)
        ceiling = record.get("ceiling") or {}
        rows.append(
            {
                "model": record["model"],
                **describe(record["model"]),
                "benchmark": record["benchmark"],
                "status": record["status"],
                "value": record.get("value", math.nan),
                "interval_low": low,
                "interval_high": high,
                "error": record.get("error", math.nan),
                "raw": record.get("raw", math.nan),
                "ceiling_lower": ceiling.get("lower", math.nan),
                "ceiling_upper": ceiling.get("upper", math.nan),
                "layer": record.get("layer"),
                "n_stimuli": record.get("n_stimuli"),
                "simulated": record.get("simulated", False),
                "checkpoint": record.get("checkpoint"),
                "reason": record.get("reason"),
            }
        )
    return pd.DataFrame(rows)


_MODEL_COLUMNS = ("model", "family", "labels", "k", "seed")
_SCORE_COLUMNS = ("value", "raw", "error", "interval_low", "interval_high")
_SOURCE_COLUMNS = (
    "status", "reason", "simulated", "n_stimuli", "checkpoint", "seconds", "peak_memory_mb", "started", "git_commit",
)  # fmt: skip
_LONG_COLUMNS = (
    *_MODEL_COLUMNS, "benchmark", "region", "subject", "layer", "committed", *_SCORE_COLUMNS, "ceiling_lower",
    "ceiling_upper", "benchmark_version", *_SOURCE_COLUMNS,
)  # fmt: skip


def long_table(records: list[dict]) -> pandas.DataFrame:
    """Tidy table, one row for each score, subject and layer, with its provenance.

    ``subject`` is "all" in the row of the score itself; ``committed`` tells the committed layer from the others of
    ``--layers all``. Subjects' scores are raw: only their mean is divided by a ceiling.
    """
    import pandas as pd

    rows = []  # tuples, because a dict per row takes twice as long
    for record in records:
        model, ceiling = record["model"], record.get("ceiling") or {}
        about = (model, *describe(model).values(), record["benchmark"], record.get("region"))
        source = (
            ceiling.get("lower", math.nan),
            ceiling.get("upper", math.nan),
            (record.get("fingerprint") or {}).get("benchmark_version"),
            *map(record.get, _SOURCE_COLUMNS),
        )
        own = record.get("layer")
        rows += [(*about, subject, own, True, *numbers, *source) for subject, numbers in _by_subject(record)]
        for layer, score in (record.get("layers") or {}).items():
            if layer != own:  # the committed layer has its row already
                rows += [(*about, subject, layer, False, *numbers, *source) for subject, numbers in _by_subject(score)]
    table = pd.DataFrame(rows, columns=_LONG_COLUMNS)
    # Nullable integers, because missing values would turn them into floats.
    whole = {name: table[name].astype("Int64") for name in ("k", "seed", "n_stimuli")}
    return table.assign(simulated=table["simulated"].eq(True), **whole)


def _by_subject(score: dict):
    """Yields each subject with its values of `_SCORE_COLUMNS`; the first subject is "all"."""
    value, raw, error = (score.get(name, math.nan) for name in _SCORE_COLUMNS[:3])
    yield "all", (value, raw, error, *(score.get("interval") or (math.nan, math.nan)))
    for subject, raw in (score.get("subject_scores") or {}).items():
        yield subject, (math.nan, raw, math.nan, math.nan, math.nan)


def describe(model: str) -> dict:
    """Family, label source, number of classes and seed of one of our models, read from its id.

    >>> describe("granularity_world_own_k8_s2")
    {'family': 'granularity_world', 'labels': 'own', 'k': 8, 'seed': 2}
    >>> describe("alexnet")
    {'family': 'alexnet', 'labels': None, 'k': None, 'seed': None}
    """
    match identifiers.parse(model):
        case identifiers.Ladder(family, labels, k, seed):
            return {"family": family, "labels": labels, "k": k, "seed": seed}
        case identifiers.Rule(rule, labels, k, seed):
            return {"family": f"learningrule_{rule}", "labels": labels, "k": k, "seed": seed}
        case _:
            return {"family": model, "labels": None, "k": None, "seed": None}


@contextmanager
def _many_objects():
    """Pause the garbage collector, which would otherwise search all objects repeatedly while many are created."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _file_name(identifier: str) -> str:
    return identifier.replace("/", "_")


def _load(file: Path, warn) -> dict | None:
    try:
        record = json.loads(file.read_bytes())
        record["model"], record["benchmark"], record["status"]
        return record
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        aside = file.with_name(file.name + ".damaged")
        file.replace(aside)
        if warn:
            warn(f"{file} is damaged ({type(error).__name__}) and kept as {aside.name}; it will be computed again")
        return None


def _plain(value):
    """Convert a value to JSON types; NaN becomes null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
