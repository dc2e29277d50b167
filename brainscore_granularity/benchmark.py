"""The Benchmark classes that all our benchmark plugins share: RSA and odd-one-out.

Both return a Brain-Score ``Score`` whose value is the raw score divided by the upper noise ceiling (odd-one-out:
after subtracting chance from both). In ``attrs``: ``raw``, ``ceiling`` (with ``lower`` and ``upper``), ``error``
(standard deviation over a stimulus bootstrap) and ``interval`` (95%, percentile) on the scale of the value,
``subject_scores``, ``layer``, ``n_stimuli`` and ``simulated``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from brainscore_core.benchmarks import BenchmarkBase
from brainscore_core.metrics import Score
from brainscore_vision.benchmark_helpers.screen import place_on_screen
from brainscore_vision.model_interface import BrainModel

from . import rsa, stats, triplets

TIME_BINS = [(70, 170)]  # Brain-Score's default window in milliseconds; our models have no time
N_BOOTSTRAP = 1000


class RSABenchmark(BenchmarkBase):
    """Spearman correlation of correlation-distance RDMs, per subject, averaged over subjects.

    Parameters
    ----------
    identifier, version, parent, bibtex : as Brain-Score asks.
    region : what the model records: V1, V2, V4 or IT.
    load : returns the assembly, presentation x neuroid, with coordinates stimulus_id and subject and the
        attribute stimulus_set. Repeated presentations of a stimulus are averaged.
    visual_degrees : width of the stimuli.
    simulated : the subjects are simulated; carried into every score.
    """

    def __init__(self, identifier, version, region, load: Callable, visual_degrees, bibtex, simulated=False):
        super().__init__(identifier=identifier, ceiling=None, version=version, parent=region, bibtex=bibtex)
        self.region = region
        self.simulated = simulated
        self._load = load
        self._visual_degrees = visual_degrees

    @cached_property
    def assembly(self):
        return self._load()

    @property
    def stimulus_set(self):
        return self.assembly.attrs["stimulus_set"]

    @cached_property
    def subject_rdms(self) -> np.ndarray:
        """(subjects, n, n), stimuli in the order of the stimulus set."""
        order = self.stimulus_set["stimulus_id"].values
        rdms = []
        for subject in self.subjects:
            responses = self.assembly.sel(neuroid=self.assembly["subject"] == subject)
            responses = in_order(average_repeats(responses), order)
            rdms.append(rsa.rdm(responses, images=order, layer=f"{self.identifier}, subject {subject}"))
        return np.stack(rdms)

    @cached_property
    def subjects(self) -> list[str]:
        return sorted({str(s) for s in self.assembly["subject"].values})

    @cached_property  # Brain-Score's own base class would cache it on disk by identifier, whatever the version
    def ceiling(self) -> Score:
        lower, upper = stats.noise_ceiling(self.subject_rdms, pool="rank")  # no model can exceed this upper bound
        return ceiling_score(lower, upper)

    def __call__(self, candidate: BrainModel) -> Score:
        candidate.start_recording(self.region, time_bins=TIME_BINS)
        stimuli = place_on_screen(
            self.stimulus_set,
            target_visual_degrees=candidate.visual_degrees(),
            source_visual_degrees=self._visual_degrees,
        )
        activations = candidate.look_at(stimuli)
        layer = committed_layer(candidate, self.region)
        order = self.stimulus_set["stimulus_id"].values
        model_rdm = rsa.rdm(in_order(activations, order), images=order, layer=f"{candidate.identifier} {layer}")
        return self.compare(model_rdm, layer)

    def raw_score(self, features: np.ndarray) -> float:
        """Mean over subjects, without ceiling or interval; features (stimuli, ...) in stimulus-set order."""
        model_rdm = rsa.rdm(features)
        return float(np.mean([rsa.compare(model_rdm, rdm) for rdm in self.subject_rdms]))

    def compare(self, model_rdm: np.ndarray, layer: str | None = None) -> Score:
        """Score of a model's RDM, stimuli in the order of the stimulus set."""
        subject_scores = [rsa.compare(model_rdm, rdm) for rdm in self.subject_rdms]
        resampled = stats.bootstrap(model_rdm, self.subject_rdms, n=N_BOOTSTRAP, fraction=None).reshape(N_BOOTSTRAP, -1)
        return packed_score(
            raw=float(np.mean(subject_scores)),
            ceiling=self.ceiling,
            chance=0.0,
            resampled=resampled.mean(axis=1),
            subject_scores=dict(zip(self.subjects, subject_scores, strict=True)),
            layer=layer,
            n_stimuli=len(model_rdm),
            simulated=self.simulated,
        )


class OddOneOutBenchmark(BenchmarkBase):
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
        super().__init__(identifier=identifier, ceiling=None, version=version, parent="behavior_vision", bibtex=bibtex)
        self._best_accuracy = ceiling
        self.region = "behavior"
        self.simulated = simulated
        self.measure = measure
        self._load = load
        self._visual_degrees = visual_degrees

    @cached_property
    def assembly(self):
        return self._load()

    @property
    def stimulus_set(self):
        return self.assembly.attrs["stimulus_set"]

    @cached_property
    def ceiling(self) -> Score:
        best = self._best_accuracy()
        return ceiling_score(lower=best, upper=best)

    @cached_property
    def triplets(self) -> np.ndarray:
        """(triplets, 3) rows of the stimulus set, the odd one last."""
        row = {stimulus: i for i, stimulus in enumerate(self.stimulus_set["stimulus_id"].values)}
        columns = [self.assembly[name].values for name in ("image_1", "image_2", "image_3")]
        return np.array([[row[stimulus] for stimulus in column] for column in columns]).T

    def __call__(self, candidate: BrainModel) -> Score:
        stimuli = place_on_screen(
            self.stimulus_set,
            target_visual_degrees=candidate.visual_degrees(),
            source_visual_degrees=self._visual_degrees,
        )
        readout, layers = behavioural_readout(candidate)
        order = self.stimulus_set["stimulus_id"].values
        features = in_order(readout(stimuli, layers=layers), order)
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


def packed_score(raw, ceiling, chance, resampled, subject_scores, layer, n_stimuli, simulated) -> Score:
    """A Brain-Score Score on the scale (raw - chance) / (ceiling - chance), with everything known about it."""
    span = float(ceiling) - chance
    score = Score((raw - chance) / span)
    score.attrs[Score.RAW_VALUES_KEY] = Score(raw)
    score.attrs["ceiling"] = ceiling
    ceiled = (resampled - chance) / span
    score.attrs["error"] = float(ceiled.std(ddof=1))
    score.attrs["error_over"] = ["stimulus"]
    score.attrs["n_bootstrap"] = len(resampled)
    score.attrs["interval"] = tuple(float(v) for v in stats.interval(ceiled))
    score.attrs["chance"] = chance
    score.attrs["subject_scores"] = {name: float(value) for name, value in subject_scores.items()}
    score.attrs["layer"] = layer
    score.attrs["n_stimuli"] = n_stimuli
    score.attrs["simulated"] = simulated
    return score


def ceiling_score(lower: float, upper: float) -> Score:
    """The upper noise ceiling, by which scores are divided, with both bounds in attrs."""
    ceiling = Score(float(upper))
    ceiling.attrs["lower"], ceiling.attrs["upper"] = float(lower), float(upper)
    return ceiling


def average_repeats(assembly):
    """Mean over repeated presentations of each stimulus -> presentation x neuroid."""
    if "time_bin" in assembly.dims:
        assembly = assembly.squeeze("time_bin")
    ids = assembly["stimulus_id"].values
    names, rows = np.unique(ids, return_inverse=True)
    if len(names) == len(ids):
        return assembly
    values = assembly.transpose("presentation", "neuroid").values
    order = np.argsort(rows, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(rows[order]) > 0])
    means = np.add.reduceat(values[order].astype(np.float64), starts) / np.bincount(rows)[:, None]
    import xarray

    return xarray.DataArray(means, dims=["presentation", "neuroid"], coords={"stimulus_id": ("presentation", names)})


def in_order(assembly, stimulus_ids) -> np.ndarray:
    """Responses (stimuli, neuroids) in the order of ``stimulus_ids``; each must be there once."""
    assembly = assembly.squeeze("time_bin") if "time_bin" in assembly.dims else assembly
    found = assembly["stimulus_id"].values
    row = {stimulus: i for i, stimulus in enumerate(found)}
    missing = [stimulus for stimulus in stimulus_ids if stimulus not in row]
    if missing or len(row) != len(found):
        raise ValueError(
            f"expected one response to each of {len(stimulus_ids)} stimuli, got {len(found)} responses to "
            f"{len(row)} stimuli; {len(missing)} missing" + (f" (first: {missing[0]})" if missing else "")
        )
    return assembly.transpose("presentation", "neuroid").values[[row[stimulus] for stimulus in stimulus_ids]]


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
