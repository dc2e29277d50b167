"""A model's score on a benchmark with its layer chosen on one half of the stimuli and scored on the other.

The primary result where there are no data of the same kind to choose layers on: it needs no selection data, and the
search does not inflate it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from brainscore_granularity import stats

from . import layers as every


class CrossValidated(NamedTuple):
    """The score of the procedure beside those of every layer, all as raw scores.

    ``scale`` (chance, upper ceiling) turns a raw score into a value: (raw - chance) / (ceiling - chance).
    """

    benchmark: str
    layers: list[str]  # those that tell the images apart
    raw: np.ndarray  # (layers,) on all stimuli
    found: stats.LayerChoice
    scale: tuple[float, float]
    splits: int

    def value(self, raw):
        """A raw score as a share of the ceiling, above chance."""
        chance, ceiling = self.scale
        return (np.asarray(raw) - chance) / (ceiling - chance)

    @property
    def best(self) -> str:
        """The layer with the highest score on the very stimuli that score it."""
        return self.layers[int(self.raw.argmax())]

    @property
    def chosen(self) -> dict[str, float]:
        """{layer: share of the choices}, the most often chosen first."""
        shares = sorted(zip(self.layers, self.found.chosen.tolist(), strict=True), key=lambda pair: -pair[1])
        return {layer: share for layer, share in shares if share > 0}

    def record(self) -> dict:
        """Plain numbers, for a results file; two models' differences are paired by ``resampled`` and ``surplus``."""
        found, span = self.found, self.scale[1] - self.scale[0]
        return {
            "value": float(self.value(found.value)),
            "raw": found.value,
            "error": found.error / span,
            "interval": [float(self.value(end)) for end in (found.low, found.high)],
            "chosen": {layer: round(share, 4) for layer, share in self.chosen.items()},
            "best": {"layer": self.best, "raw": float(self.raw.max())},
            "splits": self.splits,
            "version": stats.layer_choice.VERSION,
            "resampled": self.value(found.resampled),
            "surplus": found.surplus / span,
        }


def cross_validated(
    model, benchmarks, layers: Iterable[str] | None = None, splits: int = stats.SPLITS, folder=None
) -> list[CrossValidated]:
    """Cross-validate the choice of a model's layer on our benchmarks, one forward pass for all that share images.

    Parameters
    ----------
    model : made with ModelCommitment.
    benchmarks : RSABenchmarks and OddOneOutBenchmarks.
    layers : candidates; default the model's.
    splits : random halves of the stimuli, or of concepts; each counts in both directions.
    """
    names = every.candidates(model) if layers is None else list(layers)
    found = every.compared(model, benchmarks, names, folder)
    return [
        of_representations(benchmark, every.alive(model, benchmark, found[benchmark]), splits)
        for benchmark in benchmarks
    ]


def of_representations(benchmark, by_layer: dict[str, np.ndarray], splits: int = stats.SPLITS) -> CrossValidated:
    """The same, from what a benchmark compares, {layer: RDM or similarities}."""
    found = stats.cross_validate(**benchmark.scorer(list(by_layer.values())), splits=splits)
    raw = np.array([benchmark.layer_scores(each)[0] for each in by_layer.values()])
    scale = benchmark.CHANCE, float(benchmark.ceiling)
    return CrossValidated(benchmark.identifier, list(by_layer), raw, found, scale, splits)


def fingerprint(checkpoint: str | None, benchmark, layers: Iterable[str], splits: int) -> dict:
    """What a cross-validated score depends on; not on the committed layers."""
    return {
        "checkpoint": checkpoint,
        "candidates": list(layers),
        "benchmark_version": benchmark.version,
        "splits": splits,
        "version": stats.layer_choice.VERSION,
    }
