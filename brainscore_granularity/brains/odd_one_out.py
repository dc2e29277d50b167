"""The Benchmark class for odd-one-out choices.

Its ``Score`` is (accuracy - chance) / (ceiling - chance), with the attributes that `benchmark` describes, as far as
choices have them, and ``accuracy`` by other measures of similarity.
"""

from __future__ import annotations

import copy
from functools import cached_property

import numpy as np
from brainscore_core.metrics import Score
from brainscore_vision.model_interface import BrainModel

from brainscore_granularity import stats
from brainscore_granularity.datasets.assembly import first_rows
from brainscore_granularity.rsa import triplets
from brainscore_granularity.stats import Overlaps

from .on_screen import N_BOOTSTRAP, OnScreen
from .recording import record
from .scoring import ceiling_score, packed_score
from .shown import unshared_rows


class OddOneOutBenchmark(OnScreen):
    """Share of triplets in which the model calls the same image odd, above chance, relative to the ceiling.

    Ties between similarities count by fraction; NaN and images with constant features are errors, as in RSA. The
    interval is for new images (concepts) and new choices: ``stats.triplet_mean``.

    Parameters
    ----------
    load : returns the choices in Brain-Score's format for THINGS: one row a triplet, coordinates image_1, image_2
        and image_3, the third being the odd one, and the attribute stimulus_set.
    ceiling : accuracy of the best possible model; None: the attribute ceiling of the choices.
    measure : similarity of two images: "dot", "cosine" or "centred" (cosine after centring each image's features).
    """

    CHANCE = 1 / 3

    def __init__(
        self, identifier, version, load, ceiling, visual_degrees, bibtex,
        measure="cosine", simulated=False, status=None, summary="",
    ):  # fmt: skip
        super().__init__(identifier, version, "behavior_vision", visual_degrees, bibtex, simulated, status, summary)
        self.region = "behavior"
        self.measure = measure
        self._load = load
        self._best_accuracy = ceiling

    @cached_property
    def assembly(self):
        return self._load()

    @cached_property
    def stimulus_set(self):
        return first_rows(self.assembly.attrs["stimulus_set"])

    @cached_property
    def ceiling(self) -> Score:
        best = self.assembly.attrs["ceiling"] if self._best_accuracy is None else self._best_accuracy
        return ceiling_score(lower=best, upper=best, kind="choices")

    @cached_property
    def triplets(self) -> np.ndarray:
        """(triplets, 3) rows of the stimulus set, the odd one last."""
        row = {stimulus: i for i, stimulus in enumerate(self.order)}
        columns = [self.assembly[name].values for name in ("image_1", "image_2", "image_3")]
        return np.array([[row[stimulus] for stimulus in column] for column in columns]).T

    @cached_property
    def overlaps(self) -> Overlaps:
        """Which triplets share images, the same for all models."""
        return Overlaps(self.triplets, len(self.order))

    def __call__(self, candidate: BrainModel) -> Score:
        keep = unshared_rows(candidate, self)
        features = record(candidate, self.region, self.shown_to(candidate), self.order)
        layer = self.layer_of(candidate)
        return (self if keep is None else self._of(keep)).compare(features, layer, f"{candidate.identifier} {layer}")

    def _of(self, rows: np.ndarray) -> OddOneOutBenchmark:
        """The same benchmark with the choices among some images only."""
        part = copy.copy(self)
        part.__dict__.pop("overlaps", None)
        part.__dict__["triplets"] = self.triplets[np.isin(self.triplets, rows).all(axis=1)]
        part.left_out = len(self.order) - len(rows)
        return part

    groups = None

    @property
    def compares(self) -> str:
        """Key: benchmarks with the same one can share ``representation``."""
        return f"{self.measure} similarity"

    def found(self) -> str:
        """What the data are, as they were loaded."""
        return f"{len(self.order)} images, {len(self.triplets)} choices"

    def representation(self, spool, layer: str) -> np.ndarray:
        """Similarity (n, n) of a layer's features on disk."""
        gram = spool.gram("rows" if self.measure == "centred" else None)
        return triplets.from_gram(gram, self.measure, images=self.order, layer=layer)

    def layer_scores(self, similarity: np.ndarray) -> tuple[float, dict[str, float]]:
        """Accuracy, without ceiling or interval. Choices of all people are pooled: there are no subjects."""
        return triplets.accuracy(similarity, self.triplets, 2), {}

    def scorer(self, similarities: list[np.ndarray]) -> dict:
        """Arguments for `stats.cross_validate`: accuracies of the layers on the choices among any images."""
        correct = [triplets.choice_probabilities(each, self.triplets)[:, 2] for each in similarities]
        return {"scorer": stats.TripletScorer(correct, self.overlaps), "images": len(similarities[0])}

    def corrected_p(self, similarities: list[np.ndarray], n: int) -> np.ndarray:
        """p of each layer, corrected for the search among them: images are shuffled, the best layer is kept."""
        rng, above = np.random.default_rng(0), np.zeros(len(similarities), int)
        scores = np.array([self.layer_scores(similarity)[0] for similarity in similarities])
        for _ in range(n):
            shuffled = rng.permutation(len(similarities[0]))[self.triplets]
            best = max(triplets.accuracy(similarity, shuffled, 2) for similarity in similarities)
            above += best >= scores - 1e-12
        return (above + 1) / (n + 1)

    def compare(self, features: np.ndarray, layer: str | None = None, title: str | None = None) -> Score:
        """Score of features (images, features), images in the order of the stimulus set.

        title : what error messages call the layer.
        """
        correct = {}
        for measure in ("dot", "cosine", "centred"):
            similarity = triplets.similarity(features, measure, images=self.order, layer=title or layer)
            correct[measure] = triplets.choice_probabilities(similarity, self.triplets)[:, 2]
        chosen = correct[self.measure]
        resampled, surplus = self.overlaps.resampled(chosen, N_BOOTSTRAP)
        score = packed_score(
            raw=float(chosen.mean()),
            ceiling=self.ceiling,
            chance=self.CHANCE,
            resampled=resampled,
            subject_scores={},
            layer=layer,
            n_stimuli=len(features),
            simulated=self.simulated,
            surplus=surplus,
            estimate=stats.triplet_mean(chosen, self.overlaps),
        )
        score.attrs["data"] = self.assembly.attrs["identifier"]
        if self.left_out:
            score.attrs["left_out"] = self.left_out
        score.attrs["n_triplets"] = len(self.triplets)
        score.attrs["accuracy"] = {measure: float(p.mean()) for measure, p in correct.items()}
        return score
