"""From a checkpoint to a Brain-Score model: what all our model plugins share."""

from __future__ import annotations

import functools
from pathlib import Path

from brainscore_vision.model_helpers.activations.pytorch import (
    PytorchWrapper,
    disable_activation_caching,
    load_preprocess_images,
)
from brainscore_vision.model_helpers.brain_transformation import ModelCommitment

from brainscore_granularity import networks
from brainscore_granularity.weights import layer_map
from brainscore_granularity.weights.checkpoints import Checkpoint
from brainscore_granularity.weights.find import find

from .recording import BEHAVIOUR

VISUAL_DEGREES = 8


def brain_model(identifier: str, plugin: Path) -> ModelCommitment:
    """The Brain-Score model of a registered identifier.

    The user's own checkpoint comes before the one shipped in ``plugin / "weights"`` or published in its manifest.
    """
    checkpoint = find(identifier, plugin)
    model = from_checkpoint(checkpoint, layer_map.read(checkpoint, plugin))
    chosen = layer_map.selected_on(checkpoint, plugin)
    for key in ("stimuli", "shown"):
        on = {region: chosen[key].get(name, ()) for region, name in chosen["selection"].items()}
        setattr(model, f"selection_{key}", on)
    return model


def from_checkpoint(checkpoint: Checkpoint, layers: dict[str, str]) -> ModelCommitment:
    """A Brain-Score model with the given weights and layer commitments."""
    network = checkpoint.network()
    regions = dict(layers)
    model = ModelCommitment(
        identifier=checkpoint.identifier,
        activations_model=wrap(network, f"{checkpoint.identifier}-{checkpoint.short_hash}"),
        layers=list(network.candidates),
        behavioral_readout_layer=regions.pop(BEHAVIOUR, network.readout),
        region_layer_map=regions,
        visual_degrees=VISUAL_DEGREES,
    )
    model.checkpoint_sha256 = checkpoint.sha256
    return model


def wrap(network: networks.Network, identifier: str):
    """Brain-Score's activations wrapper, without its cache on disk.

    That cache is keyed by identifier and not by weights, so that a retrained network would get old activations,
    and holds whole layers: about 20 MB a small network.
    """
    preprocessing = functools.partial(load_preprocess_images, image_size=network.image_size)
    wrapper = PytorchWrapper(identifier=identifier, model=network, preprocessing=preprocessing)
    wrapper.image_size = network.image_size
    return disable_activation_caching(wrapper)
