"""The Benchmark classes that all our benchmark plugins share: RSA and odd-one-out.

Both return a Brain-Score ``Score`` whose value is the raw score divided by the upper noise ceiling (odd-one-out:
after subtracting chance from both). In ``attrs``: ``raw``, ``ceiling`` (with ``lower`` and ``upper``), ``error``
(standard deviation over a stimulus bootstrap) and ``interval`` (95%, percentile) on the scale of the value,
``subject_scores``, ``layer``, ``n_stimuli`` and ``simulated``; for RSA also ``data``, the data set, and
``mean_rdm_score``, the correlation with the mean of the subjects' RDMs, which some studies report instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from brainscore_core.benchmarks import BenchmarkBase
from brainscore_core.metrics import Score
from brainscore_vision.benchmark_helpers.screen import place_on_screen
from brainscore_vision.model_interface import BrainModel

from . import responses, reuse, rsa, stats, triplets
from .assembly import in_order
from .scoring import ceiling_score, packed_score
from .targets import Targets

TIME_BINS = [(70, 170)]  # Brain-Score's default window in milliseconds; our models have no time
N_BOOTSTRAP = 1000


class _OnScreen(BenchmarkBase):
    """What both kinds share: stimuli, and how a model sees them."""

    def __init__(self, identifier, version, parent, visual_degrees, bibtex, simulated):
        super().__init__(identifier=identifier, ceiling=None, version=version, parent=parent, bibtex=bibtex)
        self.simulated = simulated
        self._visual_degrees = visual_degrees

    @property
    def order(self) -> np.ndarray:
        """Stimulus ids, in the order in which everything here is computed."""
        return self.stimulus_set["stimulus_id"].values

    def shown_to(self, candidate: BrainModel):
        """The stimulus set, scaled to the model's field of view."""
        if self._visual_degrees is None:
            return self.stimulus_set
        return place_on_screen(
            self.stimulus_set,
            target_visual_degrees=candidate.visual_degrees(),
            source_visual_degrees=self._visual_degrees,
        )


class RSABenchmark(_OnScreen):
    """Spearman correlation of correlation-distance RDMs, per subject, averaged over subjects.

    Parameters
    ----------
    identifier, version, bibtex : as Brain-Score asks.
    region : what the model records: V1, V2, V4 or IT.
    load : returns the targets; called once, when they are first needed.
    visual_degrees : width of the stimuli; None: they fill the field of view of any model.
    simulated : the subjects are simulated; carried into every score.
    """

    def __init__(
        self, identifier, version, region, load: Callable[[], Targets], visual_degrees, bibtex, simulated=False
    ):
        super().__init__(identifier, version, region, visual_degrees, bibtex, simulated)
        self.region = region
        self._load: Callable[[], Targets] = load

    @cached_property
    def targets(self) -> Targets:
        return self._load()

    @property
    def stimulus_set(self):
        return self.targets.stimulus_set

    @property
    def subject_rdms(self) -> np.ndarray:
        """(subjects, n, n), stimuli in the order of the stimulus set."""
        return self.targets.rdms

    @cached_property  # Brain-Score's own base class would cache it on disk by identifier, whatever the version
    def ceiling(self) -> Score:
        return self.targets.ceiling()

    def __call__(self, candidate: BrainModel) -> Score:
        stimuli, layers = self.shown_to(candidate), reuse.committed_layers(candidate, self.region)

        def model_rdm():
            features = responses.features(candidate, layers, stimuli)
            if features is None:
                candidate.start_recording(self.region, time_bins=TIME_BINS)
                features = in_order(candidate.look_at(stimuli), self.order)
            name = f"{candidate.identifier} {committed_layer(candidate, self.region)}"
            return rsa.rdm(features, images=self.order, layer=name)

        compared = responses.rdm(candidate, layers, stimuli, model_rdm)
        return self.compare(compared, committed_layer(candidate, self.region))

    def raw_score(self, features: np.ndarray) -> float:
        """Mean over subjects, without ceiling or interval; features (stimuli, ...) in stimulus-set order."""
        model_rdm = rsa.rdm(features)
        return float(np.mean([rsa.compare(model_rdm, rdm) for rdm in self.subject_rdms]))

    def compare(self, model_rdm: np.ndarray, layer: str | None = None) -> Score:
        """Score of a model's RDM, stimuli in the order of the stimulus set."""
        subject_scores = [rsa.compare(model_rdm, rdm) for rdm in self.subject_rdms]
        resampled = stats.bootstrap(model_rdm, self.subject_rdms, n=N_BOOTSTRAP, fraction=None).reshape(N_BOOTSTRAP, -1)
        score = packed_score(
            raw=float(np.mean(subject_scores)),
            ceiling=self.ceiling,
            chance=0.0,
            resampled=resampled.mean(axis=1),
            subject_scores=dict(zip(self.targets.subjects, subject_scores, strict=True)),
            layer=layer,
            n_stimuli=len(model_rdm),
            simulated=self.simulated,
        )
        score.attrs["mean_rdm_score"] = rsa.compare(model_rdm, self.subject_rdms.mean(axis=0))
        score.attrs["data"] = self.targets.data
        return score


class OddOneOutBenchmark(_OnScreen):
    """Share of triplets in which the model calls the same image odd, above chance, relative to the ceiling.

    Ties between similarities count by fraction and NaN is an error, so that a constant representation scores
    chance. The interval resamples images (concepts): a triplet counts as often as the product of its images.

    Parameters
    ----------
    load : returns the choices in Brain-Score's format for THINGS: one row a triplet, coordinates image_1, image_2
        and image_3, the third being the odd one, and the attribute stimulus_set.
    ceiling : accuracy of the best possible model, as a function of no arguments.
    measure : similarity of two images: "dot", "cosine" or "centred" (cosine after centring each image's features).
    """

    CHANCE = 1 / 3

    def __init__(self, identifier, version, load, ceiling, visual_degrees, bibtex, measure="cosine", simulated=False):
        super().__init__(identifier, version, "behavior_vision", visual_degrees, bibtex, simulated)
        self.region = "behavior"
        self.measure = measure
        self._load = load
        self._best_accuracy = ceiling

    @cached_property
    def assembly(self):
        return self._load()

    @property
    def stimulus_set(self):
        return self.assembly.attrs["stimulus_set"]

    @cached_property
    def ceiling(self) -> Score:
        best = self._best_accuracy()
        return ceiling_score(lower=best, upper=best, kind="choices")

    @cached_property
    def triplets(self) -> np.ndarray:
        """(triplets, 3) rows of the stimulus set, the odd one last."""
        row = {stimulus: i for i, stimulus in enumerate(self.order)}
        columns = [self.assembly[name].values for name in ("image_1", "image_2", "image_3")]
        return np.array([[row[stimulus] for stimulus in column] for column in columns]).T

    def __call__(self, candidate: BrainModel) -> Score:
        readout, layers = behavioural_readout(candidate)
        stimuli = self.shown_to(candidate)
        features = responses.features(candidate, layers, stimuli)
        if features is None:
            features = in_order(readout(stimuli, layers=layers), self.order)
        return self.compare(features, layer=", ".join(layers))

    def raw_score(self, features: np.ndarray) -> float:
        """Accuracy, without ceiling or interval; features (images, ...) in stimulus-set order."""
        return triplets.accuracy(triplets.similarity(features, self.measure), self.triplets, 2)

    def compare(self, features: np.ndarray, layer: str | None = None) -> Score:
        """Score of features (images, features), images in the order of the stimulus set."""
        correct = {}
        for measure in ("dot", "cosine", "centred"):
            similarity = triplets.similarity(features, measure)
            correct[measure] = triplets.choice_probabilities(similarity, self.triplets)[:, 2]
        chosen = correct[self.measure]
        score = packed_score(
            raw=float(chosen.mean()),
            ceiling=self.ceiling,
            chance=self.CHANCE,
            resampled=self._resampled(chosen, len(features)),
            subject_scores={},
            layer=layer,
            n_stimuli=len(features),
            simulated=self.simulated,
        )
        score.attrs["n_triplets"] = len(self.triplets)
        score.attrs["accuracy"] = {measure: float(p.mean()) for measure, p in correct.items()}
        return score

    def _resampled(self, correct: np.ndarray, n_images: int) -> np.ndarray:
        rng = np.random.default_rng(0)
        resampled = np.empty(N_BOOTSTRAP)
        for i in range(N_BOOTSTRAP):
            count = np.bincount(rng.integers(0, n_images, n_images), minlength=n_images)
            weight = count[self.triplets].prod(axis=1)
            resampled[i] = weight @ correct / weight.sum()
        return resampled


def committed_layer(candidate: BrainModel, region: str) -> str | None:
    """The layer a standard Brain-Score model has committed to a region, None for other models."""
    try:
        layer = candidate.layer_model.region_layer_map[region]
    except (AttributeError, KeyError):
        return None
    return layer if isinstance(layer, str) else ", ".join(layer)


def behavioural_readout(candidate: BrainModel):
    """The function stimuli -> activations that a model's odd-one-out choices are made from, and its layers.

    Brain-Score's own choices cannot be used: its argmax gives ties and NaN to the third image, which is the right
    one in this format, so that a constant representation would be perfect.
    """
    try:
        odd_one_out = candidate.behavior_model.mapping[BrainModel.Task.odd_one_out]
        return odd_one_out.activations_model, odd_one_out.readout
    except (AttributeError, KeyError, TypeError):
        raise TypeError(
            f"{candidate.identifier} has no behavioural readout layer that can be recorded; odd-one-out benchmarks "
            "need a model made with brainscore_vision's ModelCommitment"
        ) from None
