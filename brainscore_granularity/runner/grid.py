"""Decide which pairs of a grid are done, and which must be scored and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import results
from .record import CROSS_VALIDATED, outcome
from .session import Session


@dataclass
class Plan:
    """The pairs of a grid: done, to be scored, or missing their benchmark."""

    done: list[tuple[str, str]] = field(default_factory=list)
    todo: dict[tuple[str, str], str] = field(default_factory=dict)  # pair -> why it must be scored
    missing: dict[tuple[str, str], str] = field(default_factory=dict)  # pair -> why its benchmark cannot be loaded

    @property
    def by_model(self) -> dict[str, list[str]]:
        """The pairs to score: {model: benchmarks}."""
        grouped: dict[str, list[str]] = {}
        for model, benchmark in self.todo:
            grouped.setdefault(model, []).append(benchmark)
        return grouped

    @property
    def unloadable(self) -> list[dict]:
        """Records of the pairs whose benchmark cannot be loaded."""
        return [outcome(model, name, failed=reason) for (model, name), reason in self.missing.items()]


def plan(models, benchmarks, folder: Path, session: Session, warn: Callable, look_for_data: bool = False) -> Plan:
    """Sort the pairs of a grid; a benchmark that cannot be loaded affects only its own pairs.

    look_for_data : load the benchmarks' data too, which are otherwise loaded when the first pair needs them.
    """
    sorted_out, benchmarks = Plan(), list(dict.fromkeys(benchmarks))
    missing = {name: reason for name in benchmarks if (reason := session.missing(name, look_for_data))}
    for model in dict.fromkeys(models):
        for name in benchmarks:
            reason = why(folder, model, name, session, warn)
            if reason is None:
                sorted_out.done.append((model, name))
            elif name in missing:
                sorted_out.missing[model, name] = missing[name]
            else:
                sorted_out.todo[model, name] = reason
    return sorted_out


def why(folder: Path, model: str, name: str, session: Session, warn: Callable | None = None) -> str | None:
    """Why a pair must be scored; None if its score is valid.

    A score is stale when the checkpoint, the layer commitment or the benchmark's version has changed.
    """
    record = results.read(folder, model, name, warn)
    if record is None:
        return "not scored yet"
    if record["status"] != "ok":
        return "failed before"
    if session.all_layers and "layers" not in record:
        return "layers not scored yet"
    chosen = record.get(CROSS_VALIDATED) or {}
    if session.splits and chosen.get("fingerprint", {}).get("splits") != session.splits:
        return f"choice of the layer not cross-validated over {session.splits} halves yet"
    if session.missing(name):  # the version cannot be read; the existing score is kept
        return None
    before = record.get("fingerprint") or {}
    try:
        now = session.fingerprint(model, name)
    except Exception as error:  # scoring the pair will fail with the same error
        return f"cannot be checked ({type(error).__name__})"
    changed = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    if session.splits and "value" in chosen:
        from brainscore_granularity.stats.layer_choice import VERSION

        current = {**now, "version": VERSION}
        made_from = chosen["fingerprint"]
        changed += [f"cross-validated {key}" for key in made_from if made_from[key] != current.get(key, made_from[key])]
    return f"stale: {' and '.join(changed).replace('_', ' ')} changed" if changed else None
