"""Every model and benchmark that can be scored: ours and Brain-Score's, with the state of each of ours."""

from __future__ import annotations

import difflib
import fnmatch
from pathlib import Path

from brainscore_granularity import plugins
from brainscore_granularity.weights.checkpoints import CheckpointError, Fitted, Published, Untrained
from brainscore_granularity.weights.find import checkpoint_of, is_stored, plugin_of
from brainscore_granularity.weights.identifiers import how_to_make


class UnknownName(ValueError):
    """No such model or benchmark; the message lists the nearest names."""


def ours(plugin_type: str) -> list[str]:
    """Our identifiers of one type ("models" or "benchmarks"), in the order they are registered."""
    return list(plugins.registrations(plugin_type))


def brainscore(plugin_type: str) -> list[str]:
    """Brain-Score's own identifiers, read from its files without importing it."""
    from importlib.util import find_spec

    root = Path(find_spec("brainscore_vision").submodule_search_locations[0]) / plugin_type
    registry = plugin_type.removesuffix("s") + "_registry"
    return sorted({identifier for identifier, _ in plugins.scan(root, registry)})


def select(plugin_type: str, patterns: list[str]) -> list[str]:
    """Identifiers that match names or shell patterns, ours first; a pattern without a match is an error."""
    known = [*ours(plugin_type), *brainscore(plugin_type)]
    chosen: dict[str, None] = {}
    for pattern in patterns:
        matches = fnmatch.filter(known, pattern)
        if not matches:
            nearest = difflib.get_close_matches(pattern, known, n=4, cutoff=0.5) or known[:4]
            raise UnknownName(
                f"no {plugin_type.removesuffix('s')} matches {pattern!r}; nearest: {', '.join(nearest)}. "
                f"`granularity {plugin_type}` lists ours."
            )
        chosen.update(dict.fromkeys(matches))
    return list(chosen)


def model_state(identifier: str) -> tuple[str, str | None]:
    """One of our models in a few words, and what to do where it cannot be loaded."""
    plugin = plugin_of(identifier)
    if not is_stored(identifier):
        return "ready, built by its plugin", None
    try:
        checkpoint = checkpoint_of(identifier)
    except CheckpointError as error:
        missing = str(error).startswith("no checkpoint")
        return ("not trained here", how_to_make(identifier)) if missing else ("damaged", str(error))
    if isinstance(checkpoint, Untrained):
        return "ready, built from its seed", None
    if isinstance(checkpoint, Fitted):
        if not checkpoint.is_intact():
            return "statistics missing or damaged", how_to_make(identifier)
        return f"ready, built from its seed, statistics of {checkpoint.info['number']} images", None
    if isinstance(checkpoint, Published) and not checkpoint.weights.exists():
        return f"fetched when loaded, {checkpoint.info['bytes'] / 1e6:.0f} MB from {checkpoint.info['url']}", None
    shipped = checkpoint.weights.parent == plugin / "weights"
    origin = "shipped with the package" if shipped else "on this computer"
    accuracy = checkpoint.info.get("metrics", {}).get("validation_accuracy")
    return f"ready, {origin}{f', validation accuracy {accuracy:.2f}' if accuracy is not None else ''}", None


def benchmark_state(identifier: str, ceilings: bool = False) -> str:
    """One line on one of our benchmarks: whether its data are here, what they are, and what a model records.

    ceilings : load the data if they are here, and say what was found in them.
    """
    from brainscore_vision import load_benchmark

    benchmark = load_benchmark(identifier)
    status, kind = benchmark.status(), "simulated" if benchmark.simulated else "measured"
    summary, ceiling = benchmark.summary, ""
    if ceilings and status.startswith("ready"):
        found = benchmark.ceiling.attrs
        summary, ceiling = benchmark.found(), ", no noise ceiling known"
        if found["kind"] != "unknown":
            ceiling = f", noise ceiling {found['lower']:.3f} to {found['upper']:.3f} ({found['kind']})"
    return f"{status}; {kind}, {summary}, records {benchmark.region}{ceiling}"
