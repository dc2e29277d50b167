"""Facts about a model by its identifier, for analyses: its condition, its weights, its layers."""

from __future__ import annotations

import contextlib

from brainscore_granularity.report import conditions
from brainscore_granularity.runner import results

from .base import NotApplicable


class MissingLayers(ValueError):
    """Models do not have the same layers."""


def load(model: str):
    """A Brain-Score model, without its cache of activations by name."""
    from brainscore_vision import load_model

    from brainscore_granularity.runner.environment import no_stored_activations

    with no_stored_activations():
        return load_model(model)


def describe(model: str) -> dict:
    """Columns of every table: model, labels, k, seed; k is the number of native classes for native networks."""
    known = results.describe(model)
    k = known["k"]
    if k is None and known["labels"] == conditions.NATIVE:
        with contextlib.suppress(Exception):
            from brainscore_granularity.weights.find import checkpoint_of

            k = int(checkpoint_of(model).info["classes"])
    return {"model": model, "labels": known["labels"], "k": k, "seed": known["seed"]}


def identity(model: str) -> str:
    """An identifier of a model's weights: their hash, or for Brain-Score's own models the version of Brain-Score."""
    from importlib.metadata import version

    from brainscore_granularity.weights.find import commitment_of

    return commitment_of(model)[0] or f"brainscore_vision {version('brainscore_vision')}"


def layers(model: str) -> list[str]:
    """The candidate layers of a model, early to late."""
    from brainscore_granularity.brains.layers import candidates

    known = _bare_network(model)
    return list(known.candidates) if known is not None else candidates(load(model))


def committed(model: str, region: str) -> str:
    """The layer that a model has committed to a region, chosen on stimuli that are never scored."""
    from brainscore_granularity.brains.recorder import committed_layers
    from brainscore_granularity.weights.find import commitment_of

    try:
        _, layer_map = commitment_of(model)
        layer = (layer_map or {}).get(region)
        layers = [layer] if layer else committed_layers(load(model), region, choose=True)
    except Exception as error:
        raise NotApplicable(f"{model} has no layer for {region}: {error}") from error
    if len(layers) != 1:
        raise NotApplicable(f"{model} has not committed one layer to {region}; run `granularity commit {model}`")
    return layers[0]


def common_layers(own: dict[str, list[str]], asked: list[str]) -> list[str]:
    """The layers to analyse in all models: those in ``asked``, or all layers if the models have the same ones.

    own : {model: its layers}.
    """
    if not own:
        return asked
    for model, there in own.items():
        if lacking := [layer for layer in asked if layer not in there]:
            raise MissingLayers(f"{model} has no layer {lacking[0]!r}; it has {', '.join(there)}")
    if asked:
        return asked
    first, *others = own
    for model in others:
        if own[model] != own[first]:
            odd = sorted(set(own[model]) ^ set(own[first]))
            who = model if odd[0] not in own[model] else first
            common = [layer for layer in own[first] if layer in own[model]]
            raise MissingLayers(
                f"{who} has no layer {odd[0]!r}, which {first if who == model else model} has; layers are compared "
                "one by one: choose models of one architecture, or name shared layers with --layers"
                + (f" ({', '.join(common)})" if common else "")
            )
    return own[first]


def _bare_network(model: str):
    """The network of one of our models, built without weights; None for others."""
    from brainscore_granularity import networks
    from brainscore_granularity.plugins import registrations
    from brainscore_granularity.weights.find import checkpoint_of, is_stored

    ours = model in registrations("models")
    if not (ours or model.startswith("granularity_")) or (ours and not is_stored(model)):
        return None
    info = checkpoint_of(model).info
    return networks.build(info["network"], info["classes"], seed=0)
