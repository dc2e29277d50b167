"""Layers -> regions: chosen on selection stimuli, never on those that score.

For each region, the layer with the highest mean Spearman correlation of RDMs over the selection's subjects; for
behaviour, the best on the selection's choices or concepts. What selections there are: ``selection.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from brainscore_granularity import plugins
from brainscore_granularity.networks.depth import layers_by_depth
from brainscore_granularity.paths import home
from brainscore_granularity.weights import layer_map
from brainscore_granularity.weights.checkpoints import Checkpoint, CheckpointError
from brainscore_granularity.weights.find import checkpoint_of, is_stored, plugin_of

from . import layers as every
from . import selection
from .model import from_checkpoint

SELECTION = "World_selection"  # the default
SELECTION_VERSION = 2  # raised when the selection images or subjects change: earlier commitments are then made anew


def commit(checkpoint: Checkpoint) -> tuple[dict[str, str], dict[str, dict[str, float]]]:
    """Choose the layers of one of our networks on the default selection.

    Returns
    -------
    layer_map : {"V1": layer, ..., "behavior": layer}
    scores : {region: {layer: selection score}} for every candidate layer; layers without an RDM (some image has
        constant features) are left out.
    """
    choice = choose(from_checkpoint(checkpoint, {}), [SELECTION])
    return choice["layers"], choice["scores"]


def choose(model, selections: Sequence[str], layers: Sequence[str] | None = None) -> dict:
    """Choose the layers of any model made with Brain-Score's ModelCommitment, one forward pass a stimulus set.

    Parameters
    ----------
    model : with ``activations_model`` and ``layers``.
    selections : names in ``selection.SELECTIONS``; a region is decided by the first that has it.
    layers : candidates; default the model's.

    Returns
    -------
    ``layers`` {region: layer}; ``scores`` {region: {layer: score, mean over subjects}}; ``subjects`` {region:
    {subject: layer that is best for it}}; ``selection`` {region: name}; ``stimuli`` {name: stimulus ids}; ``shown``
    {name: what they show, see `shown.identities`}.
    """
    names = every.candidates(model) if layers is None else list(layers)
    choice: dict = {"layers": {}, "scores": {}, "subjects": {}, "selection": {}, "stimuli": {}, "shown": {}}
    for name in selections:
        wanted = [b for b in selection.benchmarks(name) if b.region not in choice["layers"]]
        by_region = _scores(model, names, wanted)
        for region, by_layer in by_region.items():
            if not by_layer:
                raise ValueError(f"no layer of {model.identifier} has distinct responses to the images of {name}")
            means = {layer: float(np.mean(list(scores.values()))) for layer, scores in by_layer.items()}
            choice["scores"][region] = means
            choice["layers"][region] = max(means, key=means.get)
            subjects = next(iter(by_layer.values()))
            choice["subjects"][region] = {s: max(by_layer, key=lambda one: by_layer[one][s]) for s in subjects}
            choice["selection"][region] = name
        choice["stimuli"][name] = sorted({str(stimulus) for benchmark in wanted for stimulus in benchmark.order})
        choice["shown"][name] = sorted(frozenset().union(*(own for benchmark in wanted for own in benchmark.shows)))
    return choice


def _scores(model, names: list[str], benchmarks: list) -> dict:
    """{region: {layer: {subject: score}}}; benchmarks that share stimuli share a pass."""
    found: dict = {benchmark.region: {} for benchmark in benchmarks}
    dead: set = set()
    for shared in every.by_stimuli(benchmarks):
        with every.spooled(model, shared[0].shown_to(model), names, shared[0].order, shared[0].groups) as spools:
            for name, spool in spools.items():
                for benchmark, representation in every.representations(spool, shared, name):
                    if representation is None:
                        dead.add((benchmark.region, name))
                        continue
                    mean, subjects = benchmark.layer_scores(representation)
                    found[benchmark.region].setdefault(name, {}).update(subjects or {"all": mean})
    for region, name in dead:
        found[region].pop(name, None)
    return found


def save(checkpoint: Checkpoint, layers: dict, scores: dict, choice: dict | None = None) -> Path:
    """Write ``region_layer_map/<id>.json`` and the selection scores beside it.

    choice : as from ``choose``, where another selection than the default was used. Regions that it does not have keep
        the layer that they had.
    """
    record = {
        "selection": SELECTION,
        "selection_version": SELECTION_VERSION,
        "checkpoint": checkpoint.sha256,
        "scores": scores,
    }
    if choice:
        record |= {key: choice[key] for key in ("selection", "subjects", "stimuli", "shown")}
    return layer_map.write(layer_map.home_of(checkpoint), checkpoint.identifier, layers, record)


def recommit(identifier: str, selections: Sequence[str], layers: Sequence[str] | None = None) -> tuple[dict, Path]:
    """Choose the layers of a registered model anew and write them; returns the choice and the path of the map.

    Regions that the selections do not have keep the layer, and the record of its selection, that they had. The map of
    a model that is not ours, or that is not made of a checkpoint, goes under the package's home, in Brain-Score's
    format.
    """
    from brainscore_vision import load_model

    if identifier not in plugins.registrations("models") or not is_stored(identifier):
        choice = choose(load_model(identifier), selections, layers)
        record = {key: choice[key] for key in ("selection", "scores", "subjects", "stimuli", "shown")}
        return choice, layer_map.write(home(), identifier, choice["layers"], record)
    checkpoint, plugin = checkpoint_of(identifier), plugin_of(identifier)
    choice = choose(from_checkpoint(checkpoint, {}), selections, layers)
    before = layer_map.selected_on(checkpoint, plugin)
    try:
        kept = layer_map.read(checkpoint, plugin)
    except CheckpointError:
        kept = {}
    for region in [region for region in kept if region not in choice["layers"]]:
        choice["layers"][region] = kept[region]
        name = before["selection"].get(region)
        if name is not None:
            choice["selection"][region] = name
            for key in ("stimuli", "shown"):
                choice[key].setdefault(name, before[key].get(name, []))
    return choice, save(checkpoint, choice["layers"], choice["scores"], choice)


def by_depth(identifier: str) -> tuple[dict, Path]:
    """Commit the layers of one of our models by the rule of `networks.layers_by_depth`, on no stimuli at all."""
    if identifier not in plugins.registrations("models") or not is_stored(identifier):
        raise ValueError(f"{identifier} is not made of a checkpoint of ours: its candidates have no known depth")
    checkpoint = checkpoint_of(identifier)
    layers = layers_by_depth(checkpoint.info["network"])
    record = {"rule": "depth", "selection": {}, "checkpoint": checkpoint.sha256, "scores": {}}
    path = layer_map.write(layer_map.home_of(checkpoint), checkpoint.identifier, layers, record)
    return {"layers": layers, "scores": {}}, path


def describe(choice: dict) -> str:
    """One line: region, layer and selection score of each."""
    return ", ".join(
        f"{region} {layer} ({choice['scores'][region][layer]:.3f})"
        if region in choice["scores"]
        else f"{region} {layer}"
        for region, layer in choice["layers"].items()
    )
