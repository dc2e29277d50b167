"""Which pairs of a grid are done, which are to be scored and why, and which cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from . import results
from .session import Session


@dataclass
class Plan:
    """A grid, sorted out."""

    done: list[tuple[str, str]] = field(default_factory=list)
    todo: dict[tuple[str, str], str] = field(default_factory=dict)  # pair -> why
    skipped: dict[tuple[str, str], str] = field(default_factory=dict)  # pair -> what is missing

    @property
    def by_model(self) -> dict[str, list[str]]:
        """What is to be scored: {model: benchmarks}."""
        grouped: dict[str, list[str]] = {}
        for model, benchmark in self.todo:
            grouped.setdefault(model, []).append(benchmark)
        return grouped


def plan(models: Iterable[str], benchmarks: Iterable[str], folder: Path, session: Session, warn: Callable) -> Plan:
    """Sort the pairs of a grid; a benchmark whose data cannot be had is skipped for all models."""
    sorted_out, benchmarks = Plan(), list(dict.fromkeys(benchmarks))
    missing = {name: reason for name in benchmarks if (reason := missing_data(session, name))}
    for model in dict.fromkeys(models):
        for name in benchmarks:
            record = results.read(folder, model, name, warn)
            if name in missing and not (record and record["status"] == "ok"):
                sorted_out.skipped[model, name] = missing[name]
            elif reason := why(record, model, name, session, missing):
                sorted_out.todo[model, name] = reason
            else:
                sorted_out.done.append((model, name))
    return sorted_out


def why(record: dict | None, model: str, name: str, session: Session, missing=()) -> str | None:
    """Why a pair is to be scored, None if its score stands.

    A score is stale when the checkpoint, the layer commitment or the benchmark's version has changed.
    """
    if record is None:
        return "not scored yet"
    if record["status"] != "ok":
        return "failed before"
    if session.all_layers and "layers" not in record:
        return "layers not scored yet"
    if name in missing:  # its version cannot be asked for
        return None
    before, now = record.get("fingerprint") or {}, session.fingerprint_or_none(model, name)
    if now is None:  # why, its own attempt will say
        return "cannot be checked"
    changed = [key for key in now if before.get(key) != now[key]]
    return f"stale: {' and '.join(changed).replace('_', ' ')} changed" if changed else None


def missing_data(session: Session, name: str) -> str | None:
    """Why a benchmark cannot be loaded, None if it can."""
    from .surroundings import network

    try:
        with network(session.offline):
            session.benchmark(name)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None
