"""Encoding: how well a linear map of a layer predicts each unit or voxel, on images that it was not fitted to."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from brainscore_core.metrics import Score

from brainscore_granularity.rsa import encoding
from brainscore_granularity.rsa.degenerate import refuse_alike, refuse_images

from .population_benchmark import PopulationBenchmark
from .scoring import ceiling_score
from .targets import unknown_ceiling

MIN_SIGNAL = 0.3  # units with a smaller share of signal are left out, as neuroids of such a reliability are in RSA


class EncodingBenchmark(PopulationBenchmark):
    """Mean over units of the held-out correlation of prediction and response; see ``PopulationBenchmark``.

    Ridge regression within each population, on features that are z-scored over its images: five random folds of
    images, each predicted from the others; the penalty is chosen for each unit within the others, by leave-one-out.
    Correlations are averaged over folds, then units.

    Where the noise of all populations is known, from repeats or as the data set states it, each unit's correlation is
    divided by the highest that its noise allows, the root of its share of signal: the ceiling is then 1, of the kind
    "repeats". Else raw correlations count and the ceiling is unknown; ``normalised`` has what the populations whose
    noise is known would score: {name: value}. A layer's representation are its predictions.

    ``error`` and ``interval`` are over other images and units; the fits stay as they are.
    """

    @cached_property
    def ceiling(self) -> Score:
        return ceiling_score(1.0, 1.0, kind="repeats") if self.is_normalised else unknown_ceiling()

    @cached_property
    def is_normalised(self) -> bool:
        """Whether the noise of all units is known."""
        return all(one.signal is not None for one in self.members)

    @cached_property
    def _used(self) -> list[np.ndarray]:
        """Units of each population that count."""
        signals = [np.ones(one.responses.shape[1]) if one.signal is None else one.signal for one in self.members]
        used = [np.flatnonzero(signal > MIN_SIGNAL) for signal in signals]
        if not all(map(len, used)):
            raise ValueError(f"{self.identifier}: no unit of a population has a share of signal above {MIN_SIGNAL}")
        return used

    @cached_property
    def _folds(self) -> list[np.ndarray]:
        return [encoding.fold_of_images(len(one.rows)) for one in self.members]

    def represent(self, gram, population, layer) -> np.ndarray:
        """Held-out predictions (images, units) of the units that count."""
        products, images = gram("columns", "z-score"), self.order[population.rows]
        refuse_images(products.broken, "NaN, infinite or overflowing features", images, layer)
        refuse_alike(products.apart, len(images), layer)
        which = next(i for i, one in enumerate(self.members) if one is population)
        fold, responses = self._folds[which], population.responses[:, self._used[which]]
        return encoding.cross_predict(products.matrix, responses, fold).values

    def _correlations(self, representation, which: int, counts=None, normalise: bool | None = None) -> np.ndarray:
        """(units,) or (resamples, units); where the noise of all is known, shares of what it allows."""
        population, used = self.members[which], self._used[which]
        r = encoding.correlations(representation, population.responses[:, used], self._folds[which], counts)
        normalise = self.is_normalised if normalise is None else normalise
        return r / np.sqrt(population.signal[used]) if normalise else r

    def population_score(self, representation, which) -> float:
        """Mean over units."""
        return float(self._correlations(representation, which).mean())

    def resampled_scores(self, representations, which, counts) -> np.ndarray:
        """(resamples, layers) means over units."""
        return np.stack([self._correlations(one, which, counts).mean(axis=1) for one in representations], axis=1)

    def resampled_units(self, representation, which: int, counts) -> np.ndarray:
        """(resamples,) means over units that are drawn with replacement, the same ones for all models."""
        r = self._correlations(representation, which, counts)
        drawn = np.random.default_rng([which, 3]).integers(0, r.shape[1], r.shape)
        return np.take_along_axis(r, drawn, axis=1).mean(axis=1)

    def permuted_scores(self, representations, which, n) -> np.ndarray:
        """(n, layers) means over units, the images of each fold shuffled among themselves."""
        rng, null = np.random.default_rng(which), np.zeros((n, len(representations)))
        population, used, fold = self.members[which], self._used[which], self._folds[which]
        ceilings = np.sqrt(population.signal[used]) if self.is_normalised else 1.0
        for k in np.unique(fold):
            rows = np.flatnonzero(fold == k)
            y = _standard(population.responses[rows][:, used]) / ceilings
            shuffled = np.stack([rng.permutation(len(rows)) for _ in range(n)])
            for layer, predicted in enumerate(representations):
                products = y @ _standard(predicted[rows]).T / len(used) / len(np.unique(fold))
                null[:, layer] += products[np.arange(len(rows)), shuffled].sum(axis=1)
        return null

    def spread(self, representations, counts) -> np.ndarray:
        """(resamples,) mean over subjects: other images, and other units."""
        return sum(
            weight * self.resampled_units(representations[which], which, counts[:, one.rows])
            for which, (weight, one) in enumerate(zip(self.populations.weights, self.members, strict=True))
        )

    def compare(self, representations, layer=None) -> Score:
        """Score of a model's predictions, one array a population."""
        score = super().compare(representations, layer)
        score.attrs["error_over"] = ["stimulus", "neuroid"]
        known = [which for which, one in enumerate(self.members) if one.signal is not None]
        score.attrs["normalised"] = {
            self.members[which].name: float(self._correlations(representations[which], which, None, True).mean())
            for which in known
        }
        names = [one.name for one in self.members]
        score.attrs["n_neuroids"] = {name: len(used) for name, used in zip(names, self._used, strict=True)}
        return score


def _standard(x: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and norm 1; 0 where they are constant."""
    x = x - x.mean(axis=0)
    norm = np.linalg.norm(x, axis=0)
    return x / np.where(norm > 0, norm, 1)
