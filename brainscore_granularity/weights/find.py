"""Which weights a model has: the user's own, then those shipped with its plugin, then published or made from a seed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from brainscore_granularity import plugins

from . import layer_map, manifest
from .checkpoints import Checkpoint, CheckpointError, default_store, read
from .identifiers import how_to_make


def find(identifier: str, plugin: Path | None = None) -> Checkpoint:
    """The checkpoint of a model; nothing is fetched before the weights are asked for.

    plugin : folder of the plugin; by default that which registers the model, if one does.
    """
    plugin = plugin or plugins.folder_of("models", identifier)
    stores = (default_store(), *([plugin / "weights"] if plugin else []))
    for store in stores:
        if (checkpoint := read(store, identifier)) is not None:
            return checkpoint
    if (checkpoint := manifest.entry(identifier, plugin)) is not None:
        return checkpoint
    looked = " or ".join(os.fspath(store) for store in stores)
    raise CheckpointError(f"no checkpoint of {identifier} in {looked}. To make it, {how_to_make(identifier)}.")


def checkpoint_of(identifier: str) -> Checkpoint:
    """The checkpoint that a registered model of ours would be loaded from."""
    return find(identifier, plugin_of(identifier))


def commitment_of(identifier: str) -> tuple[str | None, dict[str, str] | None]:
    """Weights hash and layer map that a model would be loaded with; (None, None) if it is not one of ours.

    A plugin that builds its model by itself is known by its files.
    """
    if identifier not in plugins.registrations("models"):
        return None, None
    if not is_stored(identifier):
        return _hash_of_files(plugin_of(identifier)), None
    checkpoint = checkpoint_of(identifier)
    return checkpoint.sha256, layer_map.read(checkpoint, plugin_of(identifier))


def is_stored(identifier: str) -> bool:
    """Whether the plugin of a model of ours makes it from a checkpoint (`brain_model`) and not by itself."""
    return any("brain_model(" in path.read_text(encoding="utf-8") for path in plugin_of(identifier).glob("*.py"))


def plugin_of(identifier: str) -> Path:
    """Folder of the plugin that registers a model of ours."""
    folder = plugins.folder_of("models", identifier)
    if folder is None:
        raise ValueError(f"{identifier} is not one of this package's models; `granularity models` lists them")
    return folder


def _hash_of_files(folder: Path) -> str:
    """SHA-256 of names and sizes of all files, and of the content of those of Python and JSON."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        digest.update(f"{path.relative_to(folder)} {path.stat().st_size}".encode())
        if path.suffix in (".py", ".json"):
            digest.update(path.read_bytes())
    return digest.hexdigest()
