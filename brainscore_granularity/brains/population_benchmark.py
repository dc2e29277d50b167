"""What RSA and encoding share where every population has images of its own: sessions of animals, or subjects.

The score of a model is computed for each population, averaged over the populations of a subject and then over subjects.
Where all populations were shown the same images, each subject is a population.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cached_property

import numpy as np
from brainscore_core.metrics import Score
from brainscore_vision.model_interface import BrainModel

from brainscore_granularity.datasets.stimuli import part_of
from brainscore_granularity.stats.resampling import resamples

from .benchmark import N_BOOTSTRAP
from .on_screen import OnScreen
from .populations import Population, Populations
from .recording import record
from .scoring import packed_score
from .shown import unshared_rows


class PopulationBenchmark(OnScreen):
    """Base class: subclasses say what is compared, and how.

    In ``attrs`` of a score, besides those of all benchmarks: ``population_scores``, raw; ``n_neuroids`` of each.

    Parameters
    ----------
    identifier, version, bibtex : as Brain-Score asks.
    region : what the model records: V1, V2, V4 or IT.
    load : returns the populations; called once, when they are first needed.
    visual_degrees : width of the stimuli; None: they fill the field of view of any model.
    simulated, status, summary, parent : as of ``RSABenchmark``.
    """

    CHANCE = 0.0
    groups = None  # a stimulus a row

    def __init__(
        self, identifier, version, region, load, visual_degrees, bibtex,
        simulated=False, status=None, summary="", parent=None,
    ):  # fmt: skip
        super().__init__(identifier, version, parent or region, visual_degrees, bibtex, simulated, status, summary)
        self.region = region
        self._load: Callable[[], Populations] = load

    # What a subclass defines. A "representation" is what a layer gives for one population.

    def represent(self, gram, population: Population, layer: str) -> np.ndarray:
        """A layer's representation for a population, from ``gram(centre, scaling)`` of its images."""
        raise NotImplementedError

    def population_score(self, representation: np.ndarray, which: int) -> float:
        """Raw score for one population."""
        raise NotImplementedError

    def resampled_scores(self, representations: list[np.ndarray], which: int, counts: np.ndarray) -> np.ndarray:
        """(resamples, layers) raw scores for one population, of several layers, for counts (resamples, images)."""
        raise NotImplementedError

    def permuted_scores(self, representations: list[np.ndarray], which: int, n: int) -> np.ndarray:
        """(n, layers) raw scores for one population whose images are shuffled."""
        raise NotImplementedError

    # What benchmarks of Brain-Score, the table of layers and the runner ask for.

    @cached_property
    def populations(self) -> Populations:
        return self._load()

    @property
    def members(self) -> list[Population]:
        return self.populations.members

    @property
    def stimulus_set(self):
        return self.populations.stimulus_set

    @property
    def compares(self) -> str:
        """Key: each benchmark's representations are its own."""
        return self.identifier

    def found(self) -> str:
        """What the data are, as they were loaded."""
        units = ", ".join(f"{one.subject} {one.name}: {one.responses.shape[1]} units" for one in self.members)
        return f"{len(self.order)} images; {units}"

    def parts_shown_to(self, candidate: BrainModel) -> list:
        """The stimulus set of each population, scaled to the model's field of view."""
        stimuli = self.shown_to(candidate)
        return [part_of(stimuli, one.rows) for one in self.members]

    def __call__(self, candidate: BrainModel) -> Score:
        keep = unshared_rows(candidate, self)
        layer = self.layer_of(candidate)
        benchmark = self if keep is None else self._of(keep)
        parts = benchmark.parts_shown_to(candidate)
        title = f"{candidate.identifier} {layer}"
        shown = zip(parts, benchmark.members, strict=True)
        return benchmark.compare([benchmark.recorded(candidate, layer, *each, title) for each in shown], layer)

    def recorded(self, candidate: BrainModel, layer, stimuli, population: Population, title: str) -> np.ndarray:
        """A model's representation for one population, from the features of its committed layer."""
        features = np.asarray(record(candidate, self.region, stimuli, self.order[population.rows]))
        return self.represent(of_array(features), population, title)

    def _of(self, rows: np.ndarray):
        """The same benchmark for some rows; a population with too few images left is left out."""
        part = copy.copy(self)
        for computed in [
            name for name in part.__dict__ if isinstance(getattr(type(self), name, None), cached_property)
        ]:
            part.__dict__.pop(computed)
        part.__dict__["populations"] = self.populations.of(rows)
        part.left_out = len(self.order) - len(rows)
        if not part.members:
            raise ValueError(
                f"{self.identifier}: no population keeps enough of its images when shared ones are left out"
            )
        return part

    def representation(self, spool, layer: str) -> list[np.ndarray]:
        """A layer's representation for each population, from its features on disk."""
        return [self.represent(of_spool(spool, one.rows), one, layer) for one in self.members]

    def layer_scores(self, representations: list[np.ndarray]) -> tuple[float, dict[str, float]]:
        """Mean over subjects, and each subject's score, without ceiling or interval."""
        scores = self._scores(representations)
        return float(self.populations.weights @ scores), self.populations.by_subject(scores)

    def _scores(self, representations: list[np.ndarray]) -> np.ndarray:
        return np.array([self.population_score(one, which) for which, one in enumerate(representations)])

    def _resampled(self, layers: list[list[np.ndarray]], counts: np.ndarray) -> np.ndarray:
        """(resamples, layers) mean over subjects, for counts (resamples, images of the stimulus set)."""
        return sum(
            weight * self.resampled_scores([layer[which] for layer in layers], which, counts[:, one.rows])
            for which, (weight, one) in enumerate(zip(self.populations.weights, self.members, strict=True))
        )

    def scorer(self, layers: list[list[np.ndarray]]) -> dict:
        """Arguments for `stats.cross_validate`: scores of the layers on any images."""
        return {"scorer": lambda counts: self._resampled(layers, counts), "images": len(self.order)}

    def corrected_p(self, layers: list[list[np.ndarray]], n: int) -> np.ndarray:
        """p of each layer, corrected for the search among them: images are shuffled, the best layer is kept."""
        null = sum(
            weight * self.permuted_scores([layer[which] for layer in layers], which, n)
            for which, weight in enumerate(self.populations.weights)
        ).max(axis=1)
        scores = np.array([self.layer_scores(layer)[0] for layer in layers])
        return (np.count_nonzero(null[:, None] >= scores - 1e-12, axis=0) + 1) / (n + 1)

    def spread(self, representations: list[np.ndarray], counts: np.ndarray) -> np.ndarray:
        """(resamples,) mean over subjects, for counts (resamples, images), which give error and interval."""
        return self._resampled([representations], counts)[:, 0]

    def compare(self, representations: list[np.ndarray], layer: str | None = None) -> Score:
        """Score of a model's representations, one a population."""
        raw, subjects = self.layer_scores(representations)
        # Images are drawn from the union, so that one that several populations were shown is drawn for all of them.
        counts = resamples(len(self.order), N_BOOTSTRAP, None)
        score = packed_score(
            raw=raw,
            ceiling=self.ceiling,
            chance=self.CHANCE,
            resampled=self.spread(representations, counts),
            subject_scores=subjects,
            layer=layer,
            n_stimuli=len(self.order),
            simulated=self.simulated,
        )
        if self.left_out:
            score.attrs["left_out"] = self.left_out
        names = [one.name for one in self.members]
        score.attrs["population_scores"] = dict(zip(names, self._scores(representations).tolist(), strict=True))
        score.attrs["data"] = self.populations.data
        score.attrs["n_neuroids"] = self.populations.units
        return score


def of_array(features: np.ndarray):
    """``gram(centre, scaling)`` of features (images, ...)."""
    from brainscore_granularity.rsa.gram import gram_of

    x = features.reshape(len(features), -1)
    single = x.dtype in (np.float32, np.float16)
    return lambda centre, scaling="none": gram_of(
        lambda start, stop: x[:, start:stop], *x.shape, centre, single=single, scaling=scaling
    )


def of_spool(spool, rows):
    """``gram(centre, scaling)`` of some images of a layer's features on disk."""
    return lambda centre, scaling="none": spool.gram(centre, scaling, rows)
