"""Results: one JSON file a score, never half-written; tidy tables out.

``<folder>/<benchmark>/<model>.json``. A failed pair is a file too, with its reason. A file that was damaged by hand
is kept aside as ``<model>.json.damaged``, named, and computed again.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from .paths import write_atomically

if TYPE_CHECKING:
    import pandas

_MODEL = re.compile(r"(?P<family>[a-z]+_[a-z]+)_(?P<labels>[a-z]+)(?:_k(?P<k>\d+))?_s(?P<seed>\d+)")


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
    records = (_load(file, warn) for file in sorted(Path(folder).glob("*/*.json")))
    return [record for record in records if record is not None]


def table(records: list[dict]) -> pandas.DataFrame:
    """Tidy table, one row a score; the granularity of our own models is read off their ids."""
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


def long_table(records: list[dict]) -> pandas.DataFrame:
    """Tidy table, one row for each score, subject and layer, with where it comes from.

    ``subject`` is "all" in the row of the score itself; ``committed`` tells the committed layer from the others of
    ``--layers all``. Subjects' scores are raw: only their mean is divided by a ceiling.
    """
    import pandas as pd

    rows = []
    for record in records:
        ceiling = record.get("ceiling") or {}
        about = {
            "model": record["model"],
            **describe(record["model"]),
            "benchmark": record["benchmark"],
            "region": record.get("region"),
        }
        source = {
            "ceiling_lower": ceiling.get("lower", math.nan),
            "ceiling_upper": ceiling.get("upper", math.nan),
            "status": record["status"],
            "reason": record.get("reason"),
            "simulated": record.get("simulated", False),
            "n_stimuli": record.get("n_stimuli"),
            "checkpoint": record.get("checkpoint"),
            "benchmark_version": (record.get("fingerprint") or {}).get("benchmark_version"),
            "seconds": record.get("seconds"),
            "peak_memory_mb": record.get("peak_memory_mb"),
            "started": record.get("started"),
            "git_commit": record.get("git_commit"),
        }
        layers = [(record.get("layer"), True, record)]
        layers += [(name, name == record.get("layer"), score) for name, score in (record.get("layers") or {}).items()]
        for layer, committed, score in layers:
            if committed and score is not record:
                continue  # the score itself
            for subject, numbers in _by_subject(score):
                rows.append({**about, "subject": subject, "layer": layer, "committed": committed, **numbers, **source})
    return pd.DataFrame(rows)


def _by_subject(score: dict):
    low, high = score.get("interval") or (math.nan, math.nan)
    whole = {name: score.get(name, math.nan) for name in ("value", "raw", "error")}
    yield "all", {**whole, "interval_low": low, "interval_high": high}
    nothing = dict.fromkeys(("value", "error", "interval_low", "interval_high"), math.nan)
    for subject, raw in (score.get("subject_scores") or {}).items():
        yield subject, {**nothing, "raw": raw}


def describe(model: str) -> dict:
    """Family, label source, number of classes and seed of one of our models, read off its id.

    >>> describe("granularity_world_own_k8_s2")
    {'family': 'granularity_world', 'labels': 'own', 'k': 8, 'seed': 2}
    >>> describe("alexnet")
    {'family': 'alexnet', 'labels': None, 'k': None, 'seed': None}
    """
    match = _MODEL.fullmatch(model)
    if not match:
        return {"family": model, "labels": None, "k": None, "seed": None}
    k = match["k"] and int(match["k"])
    return {"family": match["family"], "labels": match["labels"], "k": k, "seed": int(match["seed"])}


def _file_name(identifier: str) -> str:
    return identifier.replace("/", "_")


def _load(file: Path, warn) -> dict | None:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
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
    """JSON types only; NaN becomes null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
