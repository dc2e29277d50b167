"""The Benchmark classes that all our benchmark plugins share: RSA and odd-one-out.

Both return a Brain-Score ``Score`` whose value is the raw score divided by the upper noise ceiling (odd-one-out:
after subtracting chance from both). In ``attrs``: ``raw``, ``ceiling`` (with ``lower``, ``upper`` and ``kind``),
``error`` (over new stimuli) and ``interval`` (95%) on the scale of the value, by a bootstrap of the stimuli or, for
odd-one-out, by the images that triplets share; ``resampled``, from which the error of a difference is known;
``subject_scores``, ``layer``, ``n_stimuli``, ``data`` (the data set) and ``simulated``; for RSA also
``mean_rdm_score``, the correlation with the mean of the subjects' RDMs, which some studies report instead, and
``partial``, the partial correlations given pixels and luminance, where the benchmark asks for them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cached_property

import numpy as np
from brainscore_core.benchmarks import BenchmarkBase
from brainscore_core.metrics import Score
from brainscore_vision.model_interface import BrainModel

from brainscore_granularity import rsa, stats
from brainscore_granularity.datasets.assembly import first_rows
from brainscore_granularity.rsa import triplets
from brainscore_granularity.stats import Overlaps

from . import controls, kept_rdms
from .recorder import committed_layers
from .recording import BEHAVIOUR, record
from .scoring import ceiling_score, packed_score
from .screen import place_on_screen
from .shown import identities, unshared_rows
from .targets import Targets

N_BOOTSTRAP = 1000


class _OnScreen(BenchmarkBase):
    """What both kinds share: stimuli, how a model sees them, and what is known before the data are loaded."""

    def __init__(self, identifier, version, parent, visual_degrees, bibtex, simulated, status, summary):
        super().__init__(identifier=identifier, ceiling=None, version=version, parent=parent, bibtex=bibtex)
        self.simulated = simulated
        self.status: Callable[[], str] = status or (lambda: "ready")
        self.summary: str = summary
        self.visual_degrees = visual_degrees
        self.left_out = 0
        self.shared = "refuse"  # or "leave out": stimuli on which the layer that is scored was chosen, see `shown`

    @cached_property
    def shows(self) -> list[frozenset[str]]:
        """What each stimulus shows, in the order of ``order``; of behaviour, the concepts too."""
        return identities(self.stimulus_set, self.order, concepts=self.region == BEHAVIOUR)

    @property
    def order(self) -> np.ndarray:
        """Stimulus ids, in the order in which everything here is computed."""
        return self.stimulus_set["stimulus_id"].values

    def shown_to(self, candidate: BrainModel):
        """The stimulus set, scaled to the model's field of view."""
        return place_on_screen(self.stimulus_set, candidate.visual_degrees(), self.visual_degrees)

    def layer_of(self, candidate: BrainModel) -> str | None:
        """The layer, or layers, that a model has committed to the region; None where that is not known."""
        return ", ".join(committed_layers(candidate, self.region, choose=True)) or None


class RSABenchmark(_OnScreen):
    """Spearman correlation of correlation-distance RDMs, per subject, averaged over subjects.

    Parameters
    ----------
    identifier, version, bibtex : as Brain-Score asks.
    region : what the model records: V1, V2, V4 or IT; or "behavior", its behavioural readout layer.
    load : returns the targets; called once, when they are first needed.
    visual_degrees : width of the stimuli; None: they fill the field of view of any model.
    simulated : the subjects are simulated; carried into every score.
    partial : whether to score also with pixels and luminance partialled out.
    status : one line on whether the data are here, without loading them.
    summary : what the data are: images, subjects.
    parent : where Brain-Score lists the benchmark; default the region.
    """

    CHANCE = 0.0
    compares = "correlation distance"  # benchmarks that compare the same can share ``representation``

    def __init__(
        self, identifier, version, region, load, visual_degrees, bibtex,
        simulated=False, partial=False, status=None, summary="", parent=None,
    ):  # fmt: skip
        super().__init__(identifier, version, parent or region, visual_degrees, bibtex, simulated, status, summary)
        self.region = region
        self._load: Callable[[], Targets] = load
        self._partial = partial

    @cached_property
    def targets(self) -> Targets:
        return self._load()

    @property
    def stimulus_set(self):
        return self.targets.stimulus_set

    @property
    def subject_rdms(self) -> np.ndarray:
        """(subjects, n, n), stimuli in the order of the stimulus set, or groups of stimuli."""
        return self.targets.rdms

    @cached_property  # Brain-Score's own base class would cache it on disk by identifier, whatever the version
    def ceiling(self) -> Score:
        return self.targets.ceiling()

    @cached_property
    def controls(self) -> dict[str, np.ndarray]:
        return controls.control_rdms(self.stimulus_set) if self._partial else {}

    def __call__(self, candidate: BrainModel) -> Score:
        keep = unshared_rows(candidate, self)
        layer = self.layer_of(candidate)
        stimuli = self.shown_to(candidate)

        def model_rdm():
            features = record(candidate, self.region, stimuli, self.order, self.targets.groups)
            return rsa.rdm(features, images=self._rows(), layer=f"{candidate.identifier} {layer}")

        rdm = kept_rdms.rdm(candidate, layer, stimuli, model_rdm, self.targets.groups)
        return self.compare(rdm, layer) if keep is None else self._of(keep).compare(rdm[np.ix_(keep, keep)], layer)

    def _of(self, rows: np.ndarray) -> RSABenchmark:
        """The same benchmark for some rows; a ceiling that needs the responses stays that of all rows."""
        part, own = copy.copy(self), self.ceiling
        part.__dict__["targets"] = self.targets.of(rows, None if own.attrs["kind"] == "subjects" else own)
        part.__dict__["controls"] = {name: rdm[np.ix_(rows, rows)] for name, rdm in self.controls.items()}
        part.left_out = len(self.subject_rdms[0]) - len(rows)
        for computed in ("ceiling", "_subject_ranks"):
            part.__dict__.pop(computed, None)
        return part

    def found(self) -> str:
        """What the data are, as they were loaded."""
        n, subjects = len(self.subject_rdms[0]), len(self.targets.subjects)
        what = "images" if self.groups is None else f"concepts ({len(self.order)} images)"
        return f"{n} {what}, {subjects} subject{'s' if subjects > 1 else ''}"

    @property
    def groups(self):
        """(stimuli,) row of the RDMs that each stimulus belongs to, or None: a stimulus a row."""
        return self.targets.groups

    def representation(self, spool, layer: str) -> np.ndarray:
        """RDM (n, n) of a layer's features on disk."""
        return spool.rdm(images=self._rows(), layer=layer)

    def layer_scores(self, model_rdm: np.ndarray) -> tuple[float, dict[str, float]]:
        """Mean over subjects, and each subject's score, without ceiling or interval."""
        scores = np.clip(self._subject_ranks @ rsa.standardised_ranks(model_rdm, "model"), -1, 1)
        return float(scores.mean()), dict(zip(self.targets.subjects, scores.tolist(), strict=True))

    @cached_property
    def _subject_ranks(self) -> np.ndarray:
        return np.stack([rsa.standardised_ranks(rdm) for rdm in self.subject_rdms])

    def scorer(self, model_rdms: list[np.ndarray]) -> dict:
        """Arguments for `stats.cross_validate`: scores of the layers on any images."""
        return {"scorer": stats.rdm_scorer(np.stack(model_rdms), self.subject_rdms), "images": len(model_rdms[0])}

    def corrected_p(self, model_rdms: list[np.ndarray], n: int) -> np.ndarray:
        """p of each layer, corrected for the search among them: stimuli are shuffled, the best layer is kept."""
        return stats.max_statistic(model_rdms, self.subject_rdms, n).p

    def _rows(self):
        """Names of the rows of the RDMs, for error messages."""
        return self.order if self.targets.names is None else self.targets.names

    def compare(self, model_rdm: np.ndarray, layer: str | None = None) -> Score:
        """Score of a model's RDM, stimuli in the order of the stimulus set."""
        raw, subject_scores = self.layer_scores(model_rdm)
        resampled = stats.bootstrap(model_rdm, self.subject_rdms, n=N_BOOTSTRAP, fraction=None).reshape(N_BOOTSTRAP, -1)
        score = packed_score(
            raw=raw,
            ceiling=self.ceiling,
            chance=self.CHANCE,
            resampled=resampled.mean(axis=1),
            subject_scores=subject_scores,
            layer=layer,
            n_stimuli=len(model_rdm),
            simulated=self.simulated,
        )
        if self.left_out:
            score.attrs["left_out"] = self.left_out
        score.attrs["mean_rdm_score"] = rsa.compare(model_rdm, self.subject_rdms.mean(axis=0))
        score.attrs["data"] = self.targets.data
        if self.targets.neuroids:
            score.attrs["n_neuroids"] = self.targets.neuroids
        if self._partial:
            score.attrs["partial"] = controls.partial_scores(model_rdm, self.subject_rdms, self.controls)
        return score


class OddOneOutBenchmark(_OnScreen):
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
