"""The Benchmark class that all our RSA plugins share; that for odd-one-out choices is in `odd_one_out`.

Both return a Brain-Score ``Score`` whose value is the raw score divided by the upper noise ceiling (odd-one-out:
after subtracting chance from both). In ``attrs``: ``raw``, ``ceiling`` (with ``lower``, ``upper`` and ``kind``),
``error`` (over new stimuli) and ``interval`` (95%) on the scale of the value, by a bootstrap of the stimuli or, for
odd-one-out, by the images that triplets share; ``resampled``, from which the error of a difference is known;
``subject_scores``, ``layer``, ``n_stimuli``, ``data`` (the data set) and ``simulated``; for RSA also
``mean_rdm_score``, the correlation with the mean of the subjects' RDMs, which some studies report instead, and
``partial``, the partial correlations given pixels and luminance, and ``scalings``, the raw score with the model's
features as they are and z-scored, where the benchmark asks for them; ``missing``, what of the data set could not be
shown.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache, cached_property

import numpy as np
from brainscore_core.metrics import Score
from brainscore_vision.model_interface import BrainModel

from brainscore_granularity import rsa, stats
from brainscore_granularity.rsa import feature_scaling

from . import controls, kept_rdms
from .on_screen import N_BOOTSTRAP, OnScreen
from .recording import record
from .scoring import packed_score
from .shown import unshared_rows
from .targets import Targets


class RSABenchmark(OnScreen):
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
    scaling : of a model's features before its RDM, as for `rsa.rdm`: "none", or "z-score" over all images, also those
        that a score leaves out. With "z-score", scores also tell what they would be with "none".
    """

    CHANCE = 0.0

    def __init__(
        self, identifier, version, region, load, visual_degrees, bibtex,
        simulated=False, partial=False, status=None, summary="", parent=None, scaling="none",
    ):  # fmt: skip
        super().__init__(identifier, version, parent or region, visual_degrees, bibtex, simulated, status, summary)
        self.region = region
        self.scaling = feature_scaling.check(scaling)
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
        layer, stimuli, groups = self.layer_of(candidate), self.shown_to(candidate), self.targets.groups
        features = cache(lambda: record(candidate, self.region, stimuli, self.order, groups))

        def model_rdm(scaling):
            def compute():
                title = f"{candidate.identifier} {layer}"
                return rsa.rdm(features(), images=self._rows(), layer=title, scaling=scaling)

            rdm = kept_rdms.rdm(candidate, layer, stimuli, compute, groups, scaling)
            return rdm if keep is None else rdm[np.ix_(keep, keep)]

        own = self if keep is None else self._of(keep)
        score = own.compare(model_rdm(self.scaling), layer)
        if self.scaling != "none":
            score.attrs["scalings"] = {name: own._raw(model_rdm, name) for name in feature_scaling.SCALINGS}
        return score

    def _raw(self, model_rdm, scaling: str) -> float:
        """The raw score with another scaling; NaN where some image then has constant features."""
        try:
            return self.layer_scores(model_rdm(scaling))[0]
        except rsa.DegenerateFeatures:
            return float("nan")

    def scaled(self, scaling: str) -> RSABenchmark:
        """The same benchmark with models' features scaled in another way."""
        other = copy.copy(self)
        other.scaling = feature_scaling.check(scaling)
        return other

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
        n, subjects, missing = len(self.subject_rdms[0]), len(self.targets.subjects), len(self.targets.missing)
        n = f"{n} of {n + missing}" if missing else n
        what = "images" if self.groups is None else f"concepts ({len(self.order)} images)"
        return f"{n} {what}, {subjects} subject{'s' if subjects > 1 else ''}"

    @property
    def groups(self):
        """(stimuli,) row of the RDMs that each stimulus belongs to, or None: a stimulus a row."""
        return self.targets.groups

    @property
    def compares(self) -> str:
        """Key: benchmarks with the same one can share ``representation``."""
        return "correlation distance" if self.scaling == "none" else f"correlation distance, {self.scaling}"

    def representation(self, spool, layer: str) -> np.ndarray:
        """RDM (n, n) of a layer's features on disk."""
        return spool.rdm(images=self._rows(), layer=layer, scaling=self.scaling)

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
        if self.targets.missing:
            score.attrs["missing"] = list(self.targets.missing)
        score.attrs["mean_rdm_score"] = rsa.compare(model_rdm, self.subject_rdms.mean(axis=0))
        score.attrs["data"] = self.targets.data
        if self.targets.neuroids:
            score.attrs["n_neuroids"] = self.targets.neuroids
        if self._partial:
            score.attrs["partial"] = controls.partial_scores(model_rdm, self.subject_rdms, self.controls)
        return score
