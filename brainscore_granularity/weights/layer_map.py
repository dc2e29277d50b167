"""Which layer stands for which brain region: ``region_layer_map/<id>.json``, or else the layers of its depth.

The folder lies beside that of the weights: in the user's home for their own checkpoints, in the plugin for shipped
ones. ``<id>.scores.json`` beside the map tells how it was chosen: the score of every layer, the selection, its stimuli,
what they show, and the hash of the weights.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from brainscore_granularity.paths import write_atomically

from .checkpoints import Checkpoint, CheckpointError

FOLDER = "region_layer_map"


def read(checkpoint: Checkpoint, plugin: Path | None = None) -> dict[str, str]:
    """Region -> layer: from beside the folder of the weights, from the plugin, or by depth where neither has a map."""
    if (path := path_of(checkpoint, plugin)) is not None:
        return json.loads(path.read_text())
    try:
        return dict(_by_depth(checkpoint.info["network"]))
    except ValueError as error:
        raise CheckpointError(
            f"{checkpoint.identifier} has no layer map, and no layers by depth: {error}. Run "
            f"`granularity commit {checkpoint.identifier} --selection ...`, or write "
            f"{_places(checkpoint, plugin)[0]} by hand"
        ) from error


@lru_cache
def _by_depth(network: str) -> dict[str, str]:
    from brainscore_granularity.networks.depth import layers_by_depth

    return layers_by_depth(network)


def path_of(checkpoint: Checkpoint, plugin: Path | None = None) -> Path | None:
    """The file of the map that is used; None where the layers are those of the depth."""
    return next((path for path in _places(checkpoint, plugin) if path.exists()), None)


def selected_on(checkpoint: Checkpoint, plugin: Path | None = None) -> dict:
    """On what the layers were chosen: ``selection`` {region: name}, ``stimuli`` {name: stimulus ids}, ``shown`` {name:
    identities of what they show}, which records made before there were any lack."""
    path = path_of(checkpoint, plugin)
    try:
        record = json.loads(path.with_suffix(".scores.json").read_text()) if path else {}
    except (OSError, ValueError):  # a map that was written by hand
        record = {}
    selection = record.get("selection", {})
    if isinstance(selection, str):  # one for all regions
        selection = dict.fromkeys(record.get("scores", {}), selection)
    return {"selection": selection, "stimuli": record.get("stimuli", {}), "shown": record.get("shown", {})}


def is_for(checkpoint: Checkpoint, version: int) -> bool:
    """Whether the map beside a checkpoint was chosen for these very weights, on this version of the selection."""
    try:
        record = json.loads(_places(checkpoint, None)[0].with_suffix(".scores.json").read_text())
        return (record["checkpoint"], record["selection_version"]) == (checkpoint.sha256, version)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write(home: Path, identifier: str, layers: dict[str, str], record: dict) -> Path:
    """Write a map below ``home``, and how it was chosen beside it; the map comes last. Returns its path.

    layers : {region: layer}.
    record : whatever tells how they were chosen; `selected_on` reads ``selection``, ``scores``, ``stimuli`` and
        ``shown``.
    """
    path = home / FOLDER / f"{identifier}.json"
    write_atomically(path.with_suffix(".scores.json"), json.dumps(record, indent=1) + "\n")
    write_atomically(path, json.dumps(layers, indent=1) + "\n")
    return path


def home_of(checkpoint: Checkpoint) -> Path:
    """The folder that holds a checkpoint's store and, beside it, its layer map."""
    return checkpoint.weights.parent.parent


def _places(checkpoint: Checkpoint, plugin: Path | None) -> list[Path]:
    homes = [home_of(checkpoint), *([plugin] if plugin else [])]
    return [folder / FOLDER / f"{checkpoint.identifier}.json" for folder in homes]
