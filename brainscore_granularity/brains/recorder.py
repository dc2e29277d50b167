"""One forward pass serves all benchmarks that show a model the same images.

A `Recorder` sits inside the activations extractor of one loaded model, where Brain-Score runs its batches. The first
time a list of images is asked for, it also keeps the layers that later benchmarks will ask for on these images. What
it hands out is what Brain-Score would have computed, to the last bit: same images in the same order, same batches,
same padding. Other images, or the same in another order, are computed anew.

It lives as long as the loaded model does, so a retrained checkpoint or another preprocessing cannot meet activations
that are not its own; images are told apart by the content of their files.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
import tempfile
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Need(NamedTuple):
    """Layers that a benchmark will ask for."""

    images: tuple[str, ...]  # paths or bare names of the files, in the order in which they are shown
    degrees: float | None  # width at which the benchmark's images are meant: others are scaled to other files
    layers: tuple[str, ...]


class Recorder:
    """Activations of one model, kept while a later benchmark needs them.

    Parameters
    ----------
    extractor : brainscore_vision's ActivationsExtractorHelper of the model; changed in place.
    budget : bytes of activations to hold in memory; what exceeds it waits in temporary files.
    """

    def __init__(self, extractor, budget: float):
        self.passes = 0  # over a list of images, for tests and benchmarks
        self.rdms: dict[tuple, np.ndarray] = {}
        self._extractor = extractor
        self._theirs = extractor._get_activations_batched
        self._budget = budget
        self._held: dict[tuple, dict[str, np.ndarray]] = {}
        self._images: dict[tuple, tuple[str, ...]] = {}
        self._degrees, self._needs = None, ()
        extractor._get_activations_batched = self._batched
        extractor._from_paths_stored = self._not_stored

    def expect(self, degrees: float | None, needs: Iterable[Need]) -> None:
        """What the present benchmark (whose images are ``degrees`` wide) and later ones need; the rest is dropped."""
        self._degrees, self._needs = degrees, tuple(needs)
        for key, layers in list(self._held.items()):
            wanted = set(self._wanted(self._images[key]))
            for layer in [layer for layer in layers if layer not in wanted]:
                del layers[layer]
            if not layers:
                del self._held[key], self._images[key]

    def features(self, paths, layers) -> np.ndarray | None:
        """(images, features) as an assembly would hold them; None if only Brain-Score's own way can compute them."""
        extractor = self._extractor
        if extractor._stimulus_set_hooks or extractor._batch_activations_hooks:
            return None
        if extractor._microsaccade_helper.number_of_trials != 1:
            return None
        unique = list(dict.fromkeys(paths))
        held = self._activations(unique, layers, extractor._batch_size)
        arrays = [array.reshape(len(unique), -1) for array in held.values()]
        values = arrays[0].view(np.ndarray) if len(arrays) == 1 else np.concatenate(arrays, axis=1)
        if len(unique) < len(paths):
            values = values[[unique.index(path) for path in paths]]
        values.flags.writeable = False  # the next benchmark may get this array
        return values

    def _wanted(self, images: tuple[str, ...], degrees: float | None = None) -> list[str]:
        known_as = images, tuple(os.path.basename(path) for path in images)
        return [
            layer
            for need in self._needs
            if need.images in known_as and degrees in (None, need.degrees)
            for layer in need.layers
        ]

    def _batched(self, paths, layers, batch_size, require_variance):
        """In place of the extractor's method of this name."""
        helper = self._extractor._microsaccade_helper
        if require_variance or helper.number_of_trials != 1 or self._extractor._batch_activations_hooks:
            return self._theirs(paths, layers, batch_size, require_variance)
        return OrderedDict((layer, np.array(a)) for layer, a in self._activations(paths, layers, batch_size).items())

    def _activations(self, paths, layers, batch_size) -> dict[str, np.ndarray]:
        """What is held of these layers, in the order in which the network computes them, as Brain-Score has it."""
        key = (batch_size, *map(content, paths))
        held = self._held.get(key, {})
        if not set(layers) <= set(held):
            images = self._images[key] = tuple(paths)
            held = self._held[key] = self._run(paths, layers, self._wanted(images, self._degrees), held, batch_size)
        return {layer: held[layer] for layer in held if layer in layers}

    def _run(self, paths, layers, later, held, batch_size) -> dict[str, np.ndarray]:
        extra = [layer for layer in dict.fromkeys((*held, *later)) if layer not in layers]
        try:
            return self._forward(paths, [*dict.fromkeys(layers), *extra], batch_size)
        except Exception:
            if not extra:
                raise
            return self._forward(paths, list(layers), batch_size)  # a later benchmark must not fail this one

    def _forward(self, paths, layers, batch_size) -> dict[str, np.ndarray]:
        """Brain-Score's own loop over batches, into arrays that may lie on disk."""
        self.passes += 1
        kept: dict[str, np.ndarray] = {}
        for start in range(0, len(paths), batch_size):
            batch = self._extractor._get_batch_activations(
                inputs=paths[start : start + batch_size],
                layer_names=layers,
                batch_size=batch_size,
                require_variance=False,
                trial_number=0,
            )
            for layer, values in batch.items():
                if layer not in kept:
                    kept[layer] = self._room((len(paths), *values.shape[1:]), values.dtype, kept)
                kept[layer][start : start + len(values)] = values
        return kept

    def _room(self, shape, dtype, kept) -> np.ndarray:
        held = [array for layers in (*self._held.values(), kept) for array in layers.values()]
        in_memory = sum(array.nbytes for array in held if not isinstance(array, np.memmap))
        if in_memory + np.prod(shape) * dtype.itemsize <= self._budget:
            return np.empty(shape, dtype)
        with tempfile.NamedTemporaryFile(prefix="activations-") as file:  # deleted with the array or the process
            return np.memmap(file.name, dtype, "w+", shape=shape)

    def _not_stored(self, layers, stimuli_paths, require_variance=False, **_):
        """In place of the extractor's method that reads and writes the cache on disk, keyed by names."""
        return self._extractor._from_paths(layers, stimuli_paths, require_variance=require_variance)


def attach(candidate, budget: float | None = None) -> Recorder | None:
    """Put a recorder into a loaded model; None if it does not extract activations in Brain-Score's standard way."""
    from brainscore_vision.benchmark_helpers.memory import available_memory_gb
    from brainscore_vision.model_helpers.activations.core import ActivationsExtractorHelper

    extractor = getattr(getattr(candidate, "activations_model", None), "_extractor", None)
    if not isinstance(extractor, ActivationsExtractorHelper):
        return None
    for method in ("_get_activations_batched", "_get_batch_activations", "_from_paths", "from_paths"):
        if getattr(type(extractor), method) is not getattr(ActivationsExtractorHelper, method):
            return None  # networks with time, for example, make their batches in another way
    return Recorder(extractor, available_memory_gb() * 2**30 / 3 if budget is None else budget)


def untouched(candidate, recorder: Recorder):
    """A copy of a loaded model that shares the network, so that no benchmark sees what another one set.

    Brain-Score's models remember the last task and number of trials: after a behavioural benchmark one of them would
    answer a neural benchmark with choices.
    """
    candidate.activations_model._extractor._microsaccade_helper.number_of_trials = 1
    shared = [candidate.activations_model]
    with contextlib.suppress(AttributeError):
        shared.append(candidate.layer_model.region_layer_map)  # the choice may have taken long
    fresh = copy.deepcopy(candidate, {id(each): each for each in shared})
    fresh.recorder = recorder
    return fresh


def needs(benchmark, images: list[tuple[str, ...]], candidate, all_layers: bool = False) -> list[Need]:
    """What a benchmark is going to ask a model for, as far as can be told beforehand; a wrong guess costs time only.

    images : the benchmark's `image_lists`.
    """
    layers = tuple(committed_layers(candidate, getattr(benchmark, "region", None)))
    if all_layers:
        layers = tuple(dict.fromkeys((*layers, *getattr(candidate, "layers", ()))))
    degrees = getattr(benchmark, "_visual_degrees", None)
    return [Need(each, degrees, layers) for each in images] if layers else []


def committed_layers(candidate, region, choose: bool = False) -> list[str]:
    """Layers that a standard Brain-Score model reads for a region or for behaviour; empty where that is not known.

    choose : let a model of Brain-Score that has not chosen a layer yet do so, for which it downloads benchmarks.
    """
    if region in ("behavior", "behavior_vision"):
        try:
            return list(candidate.behavior_model.mapping["odd_one_out"].readout)
        except (AttributeError, KeyError, TypeError):
            return []
    region_layers = getattr(getattr(candidate, "layer_model", None), "region_layer_map", None)
    if not choose and not (isinstance(region_layers, dict) and dict.__contains__(region_layers, region)):
        return []
    try:
        layers = region_layers[region]  # Brain-Score's lazy map chooses when it is asked
    except (TypeError, KeyError):
        return []
    return [layers] if isinstance(layers, str) else list(layers)


def stimulus_sets(benchmark) -> list:
    """The stimulus sets that a benchmark shows, as far as its attributes tell; loads its data."""
    if hasattr(type(benchmark), "stimulus_set"):
        return [benchmark.stimulus_set]
    names = [name for name in ("_assembly", "train_assembly", "test_assembly") if hasattr(benchmark, name)]
    return [getattr(benchmark, name).stimulus_set for name in names]


def image_lists(benchmark, candidate) -> list[tuple[str, ...]]:
    """Paths (of Brain-Score's benchmarks: names) of the images of each stimulus set, in order and once each.

    Brain-Score scales images to other files of the same names.
    """
    ours = hasattr(benchmark, "shown_to")
    lists = []
    if hasattr(benchmark, "parts_shown_to"):
        shown = benchmark.parts_shown_to(candidate)
    else:
        shown = [benchmark.shown_to(candidate)] if ours else stimulus_sets(benchmark)
    for stimuli in shown:
        paths = dict.fromkeys(str(stimuli.get_stimulus(stimulus)) for stimulus in stimuli["stimulus_id"])
        lists.append(tuple(paths) if ours else tuple(os.path.basename(path) for path in paths))
    return list(dict.fromkeys(lists))


_contents: dict[tuple, bytes] = {}


def content(path) -> bytes:
    """Hash of a file's content; read again only when its size or time of change differ."""
    status = os.stat(path)
    key = (str(path), status.st_size, status.st_mtime_ns)
    if key not in _contents:
        _contents[key] = hashlib.blake2b(Path(path).read_bytes(), digest_size=16).digest()
    return _contents[key]
