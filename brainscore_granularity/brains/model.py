"""From a checkpoint to a Brain-Score model: what all our model plugins share."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path

from brainscore_vision.model_helpers.activations.pytorch import (
    PytorchWrapper,
    disable_activation_caching,
    load_preprocess_images,
)
from brainscore_vision.model_helpers.brain_transformation import ModelCommitment

from brainscore_granularity import networks, plugins
from brainscore_granularity.weights import checkpoints

from .recording import BEHAVIOUR

VISUAL_DEGREES = 8


def brain_model(identifier: str, plugin: Path) -> ModelCommitment:
    """The Brain-Score model of a registered identifier.

    The user's own checkpoint comes before the one shipped in ``plugin / "weights"`` or published in its manifest.
    """
    from .commitment import selected_on

    checkpoint = checkpoints.find(identifier, plugin)
    model = from_checkpoint(checkpoint, region_layer_map(checkpoint, plugin))
    chosen = selected_on(checkpoint, plugin)
    model.selection_stimuli = {region: chosen["stimuli"].get(name, ()) for region, name in chosen["selection"].items()}
    return model


def from_checkpoint(checkpoint: checkpoints.Checkpoint, layer_map: dict[str, str]) -> ModelCommitment:
    """A Brain-Score model with the given weights and layer commitments."""
    network = load_network(checkpoint)
    layer_map = dict(layer_map)
    model = ModelCommitment(
        identifier=checkpoint.identifier,
        activations_model=wrap(network, f"{checkpoint.identifier}-{checkpoint.short_hash}"),
        layers=list(network.candidates),
        behavioral_readout_layer=layer_map.pop(BEHAVIOUR, network.readout),
        region_layer_map=layer_map,
        visual_degrees=VISUAL_DEGREES,
    )
    model.checkpoint_sha256 = checkpoint.sha256
    return model


def load_network(checkpoint: checkpoints.Checkpoint) -> networks.Network:
    """The network of a checkpoint with its weights, in evaluation mode."""
    return networks.with_weights(checkpoint.info["network"], checkpoint.info["classes"], checkpoint.state_dict())


def wrap(network: networks.Network, identifier: str):
    """Brain-Score's activations wrapper, without its cache on disk.

    That cache is keyed by identifier and not by weights, so that a retrained network would get old activations,
    and holds whole layers: about 20 MB a small network.
    """
    preprocessing = functools.partial(load_preprocess_images, image_size=network.image_size)
    wrapper = PytorchWrapper(identifier=identifier, model=network, preprocessing=preprocessing)
    wrapper.image_size = network.image_size
    return disable_activation_caching(wrapper)


def region_layer_map(checkpoint: checkpoints.Checkpoint, plugin: Path | None = None) -> dict[str, str]:
    """Region -> layer, from ``region_layer_map/<id>.json`` beside the folder of the weights or in the plugin."""
    folders = [checkpoint.weights.parent.parent, *([plugin] if plugin else [])]
    paths = [folder / "region_layer_map" / f"{checkpoint.identifier}.json" for folder in folders]
    for path in paths:
        if path.exists():
            return json.loads(path.read_text())
    raise checkpoints.CheckpointError(
        f"{checkpoint.identifier} has no layer commitment in {' or '.join(str(p) for p in dict.fromkeys(paths))}; "
        f"run `granularity commit {checkpoint.identifier}`"
    )


def checkpoint_of(identifier: str) -> checkpoints.Checkpoint:
    """The checkpoint that a registered model of ours would be loaded from."""
    return checkpoints.find(identifier, plugin_of(identifier))


def commitment_of(identifier: str) -> tuple[str | None, dict[str, str] | None]:
    """Weights hash and layer map that a model would be loaded with; (None, None) if it is not one of ours.

    A plugin that builds its model by itself is known by its files.
    """
    if identifier not in plugins.registrations("models"):
        return None, None
    if not is_stored(identifier):
        return _hash_of_files(plugin_of(identifier)), None
    checkpoint = checkpoint_of(identifier)
    return checkpoint.sha256, region_layer_map(checkpoint, plugin_of(identifier))


def is_stored(identifier: str) -> bool:
    """Whether a model of ours is made of a checkpoint by `brain_model`; other plugins build theirs as they like."""
    return any("brain_model(" in path.read_text(encoding="utf-8") for path in plugin_of(identifier).glob("*.py"))


def _hash_of_files(folder: Path) -> str:
    """SHA-256 of names and sizes of all files, and of the content of those of Python and JSON."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        digest.update(f"{path.relative_to(folder)} {path.stat().st_size}".encode())
        if path.suffix in (".py", ".json"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def plugin_of(identifier: str) -> Path:
    """Folder of the plugin that registers a model of ours."""
    folder = plugins.folder_of("models", identifier)
    if folder is None:
        raise ValueError(f"{identifier} is not one of this package's models; `granularity models` lists them")
    return folder
