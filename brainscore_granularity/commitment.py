"""Layers -> regions: chosen on selection stimuli and subjects, never on those that score.

For each region, the layer with the highest mean Spearman correlation of RDMs over the selection subjects; for
behaviour, the layer with the best odd-one-out accuracy on the selection triplets. The selection data at hand are the
embedded world's: other images and other simulated subjects than the ``World`` benchmarks use, and a brain in
which all levels of the taxonomy weigh the same.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from . import checkpoints, rsa
from .paths import write_atomically

REGIONS = ("V1", "V2", "V4", "IT")
SELECTION = "World_selection"
SELECTION_VERSION = 1  # raised when the selection images or subjects change: earlier commitments are then made anew


def commit(checkpoint: checkpoints.Checkpoint) -> tuple[dict[str, str], dict[str, dict[str, float]]]:
    """Choose the layers of one model.

    Returns
    -------
    layer_map : {"V1": layer, ..., "behavior": layer}
    scores : {region: {layer: selection score}} for every candidate layer; layers without an RDM (some image has
        constant features) are left out.
    """
    from .brain_model import BEHAVIOUR

    features = layer_features(checkpoint)
    benchmarks = _selection_benchmarks()
    scores: dict[str, dict[str, float]] = {}
    for region in (*REGIONS, BEHAVIOUR):
        by_layer = {layer: _score(benchmarks[region], values) for layer, values in features.items()}
        scores[region] = {layer: score for layer, score in by_layer.items() if score is not None}
        if not scores[region]:
            raise ValueError(f"no layer of {checkpoint.identifier} has distinct responses to the selection images")
    layer_map = {region: max(by_layer, key=by_layer.get) for region, by_layer in scores.items()}
    return layer_map, scores


def save(checkpoint: checkpoints.Checkpoint, layer_map: dict, scores: dict) -> Path:
    """Write ``region_layer_map/<id>.json`` and the selection scores beside it."""
    folder = checkpoint.weights.parent.parent / "region_layer_map"
    path = folder / f"{checkpoint.identifier}.json"
    record = {
        "selection": SELECTION,
        "selection_version": SELECTION_VERSION,
        "checkpoint": checkpoint.sha256,
        "scores": scores,
    }
    write_atomically(folder / f"{checkpoint.identifier}.scores.json", json.dumps(record, indent=1) + "\n")
    write_atomically(path, json.dumps(layer_map, indent=1) + "\n")
    return path


def is_committed(checkpoint: checkpoints.Checkpoint) -> bool:
    """Whether these very weights have a commitment made on the present selection data."""
    scores = checkpoint.weights.parent.parent / "region_layer_map" / f"{checkpoint.identifier}.scores.json"
    try:
        record = json.loads(scores.read_text())
        return (record["checkpoint"], record["selection_version"]) == (checkpoint.sha256, SELECTION_VERSION)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def layer_features(checkpoint: checkpoints.Checkpoint) -> dict[str, np.ndarray]:
    """Responses of every candidate layer to the selection images, {layer: (images, features)}, one forward pass."""
    from brainscore_vision import load_stimulus_set

    from .brain_model import load_network, wrap

    network = load_network(checkpoint)
    stimuli = load_stimulus_set(SELECTION)
    activations = wrap(network, checkpoint.identifier)(stimuli, layers=list(network.candidates))
    layers = activations["layer"].values
    values = activations.transpose("presentation", "neuroid").values
    return {layer: values[:, layers == layer] for layer in network.candidates}


@lru_cache
def _selection_benchmarks() -> dict:
    from brainscore_vision import load_dataset

    from . import targets
    from .benchmark import OddOneOutBenchmark, RSABenchmark
    from .brain_model import BEHAVIOUR

    shared = {"version": 1, "visual_degrees": 8, "bibtex": "", "simulated": True}
    benchmarks: dict = {
        region: RSABenchmark(
            f"{SELECTION}.{region}-rsa",
            region=region,
            load=lambda region=region: targets.from_responses(load_dataset(f"{SELECTION}.{region}")),
            **shared,
        )
        for region in REGIONS
    }
    choices = load_dataset(f"{SELECTION}.triplet")
    benchmarks[BEHAVIOUR] = OddOneOutBenchmark(
        f"{SELECTION}.triplet", load=lambda: choices, ceiling=lambda: choices.attrs["ceiling"], **shared
    )
    return benchmarks


def _score(benchmark, features: np.ndarray) -> float | None:
    try:
        return benchmark.raw_score(features)
    except rsa.DegenerateFeatures:
        return None
