"""Every layer of a model against a benchmark, from one forward pass.

The features of all layers wait on disk (``rsa.spool.Spool``), so that memory holds a batch and a few blocks however
many layers and images there are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from brainscore_vision.model_interface import BrainModel

from brainscore_granularity import rsa
from brainscore_granularity.rsa.spool import Spool

from .recorder import committed_layers

if TYPE_CHECKING:
    import pandas

BATCH = 64
N_PERMUTATIONS = 999


def candidates(model: BrainModel) -> list[str]:
    """The layers that a model may commit, in its order."""
    try:
        return list(dict.fromkeys(model.layers))
    except AttributeError:
        raise TypeError(
            f"{model.identifier} does not say which layers it has; layers need a model made with brainscore_vision's "
            "ModelCommitment"
        ) from None


@contextmanager
def spooled(model: BrainModel, stimuli, layers: Iterable[str], order=None, groups=None, folder=None):
    """Features of several layers on disk, from one forward pass: yields {layer: Spool}, removed at the end.

    What the model's activations wrapper returns, its hooks included, but batch by batch.

    Parameters
    ----------
    stimuli : stimulus set, as the model is to see it.
    order : stimulus ids, the rows; default those of the stimulus set.
    groups : (stimuli,) int: rows are means over groups of the stimuli of ``order``.
    folder : where the features wait; default the system's folder for temporary files.
    """
    extractor, layers = model.activations_model._extractor, list(layers)
    for hook in list(extractor._stimulus_set_hooks.values()):
        stimuli = hook(stimuli)
    order = stimuli["stimulus_id"].values if order is None else order
    paths = np.array([str(stimuli.get_stimulus(stimulus)) for stimulus in order])
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="layers-", dir=folder)))
        spools = {name: stack.enter_context(Spool(place / str(k))) for k, name in enumerate(layers)}
        for row, rows, means in _batches(len(paths), groups):
            for name, features in _activations(extractor, paths[rows], layers).items():
                features = np.asarray(features)
                spools[name].shape = features.shape[1:]
                spools[name].write(row, means(features.reshape(len(rows), -1)))
        yield spools


def table(model: BrainModel, benchmark, layers: Iterable[str] | None = None, n: int = N_PERMUTATIONS, folder=None):
    """The table of one benchmark; see ``tables``."""
    return tables(model, [benchmark], layers, n, folder)[0]


def tables(
    model: BrainModel, benchmarks, layers: Iterable[str] | None = None, n: int = N_PERMUTATIONS, folder=None
) -> list[pandas.DataFrame]:
    """Score of every layer, per subject, with a p value that is corrected for the search; a table for each benchmark.

    Benchmarks that show the same stimuli share a forward pass.

    Parameters
    ----------
    model : made with ModelCommitment.
    benchmarks : RSABenchmarks and OddOneOutBenchmarks.
    layers : default the model's candidates.
    n : permutations of the stimuli for p.

    Returns
    -------
    Tables with one row a layer: ``layer``, ``value`` (relative to the ceiling), ``raw``, ``p`` (chance that the best of
    all these layers scores this high if the stimuli are shuffled), ``committed`` (the layer that the model's score
    uses) and a column of raw scores for each subject. A layer in which some image has constant features has no RDM:
    NaN. In ``attrs``: benchmark, best (layer), simulated, scaling (of the features).
    """
    layers = candidates(model) if layers is None else list(layers)
    found = compared(model, benchmarks, layers, folder)
    return [_table(model, benchmark, layers, found[benchmark], n) for benchmark in benchmarks]


def compared(model: BrainModel, benchmarks, layers: list[str], folder=None) -> dict:
    """{benchmark: {layer: what it compares, None if it tells no images apart}}, one forward pass a stimulus set."""
    found: dict = {}
    for shared in by_stimuli(benchmarks):
        with spooled(model, shared[0].shown_to(model), layers, shared[0].order, shared[0].groups, folder) as spools:
            for name, spool in spools.items():
                for benchmark, representation in representations(spool, shared, f"{model.identifier} {name}"):
                    found.setdefault(benchmark, {})[name] = representation
    return found


def alive(model: BrainModel, benchmark, found: dict) -> dict:
    """The layers that tell the images apart."""
    some = {name: representation for name, representation in found.items() if representation is not None}
    if not some:
        raise rsa.DegenerateFeatures(f"no layer of {model.identifier} tells the images of {benchmark.identifier} apart")
    return some


def by_stimuli(benchmarks) -> list[list]:
    """Benchmarks in groups that show the same stimuli in the same order and at the same size."""
    passes: dict = {}
    for benchmark in benchmarks:
        key = benchmark.stimulus_set.identifier, benchmark.visual_degrees, tuple(benchmark.order)
        passes.setdefault(key, []).append(benchmark)
    return list(passes.values())


def representations(spool: Spool, benchmarks, layer: str):
    """(benchmark, what it compares: an RDM or similarities) of a layer's features; None if it tells no images apart."""
    made: dict = {}
    for benchmark in benchmarks:
        if benchmark.compares not in made:
            try:
                made[benchmark.compares] = benchmark.representation(spool, layer)
            except rsa.DegenerateFeatures:
                made[benchmark.compares] = None
        yield benchmark, made[benchmark.compares]


def _table(model, benchmark, layers: list[str], found: dict, n: int):
    import pandas as pd

    living = alive(model, benchmark, found)
    p = dict(zip(living, benchmark.corrected_p(list(living.values()), n), strict=True))
    committed = committed_layers(model, benchmark.region, choose=True)
    rows = []
    for name in layers:
        raw, subjects = benchmark.layer_scores(living[name]) if name in living else (np.nan, {})
        value = (raw - benchmark.CHANCE) / (float(benchmark.ceiling) - benchmark.CHANCE)
        own = {"layer": name, "value": value, "raw": raw, "p": p.get(name, np.nan), "committed": name in committed}
        rows.append(own | subjects)
    frame = pd.DataFrame(rows)
    best = frame.loc[frame["raw"].idxmax(), "layer"]
    about = {"benchmark": benchmark.identifier, "simulated": benchmark.simulated, "scaling": benchmark.scaling}
    frame.attrs.update(best=best, **about)
    return frame


def _activations(extractor, paths, layers) -> dict[str, np.ndarray]:
    """One batch, as ``ActivationsExtractorHelper`` computes it."""
    activations = extractor._get_batch_activations(inputs=paths, layer_names=layers, batch_size=len(paths))
    for hook in list(extractor._batch_activations_hooks.values()):
        activations = hook(activations)
    return activations


def _batches(n: int, groups):
    """(first row, stimuli of a batch, function from their features to rows); a group is never split."""
    if groups is None:
        for start in range(0, n, BATCH):
            yield start, np.arange(start, min(start + BATCH, n)), lambda features: features
        return
    groups = np.asarray(groups)
    by_group = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[by_group], np.arange(groups.max() + 2))
    first = 0
    while first < len(starts) - 1:
        last = max(first + 1, int(np.searchsorted(starts, starts[first] + BATCH, side="right")) - 1)
        rows = by_group[starts[first] : starts[last]]
        edges = starts[first:last] - starts[first]
        sizes = np.diff(starts[first : last + 1])[:, None]
        yield first, rows, lambda x, edges=edges, sizes=sizes: np.add.reduceat(x, edges, axis=0) / sizes
        first = last
