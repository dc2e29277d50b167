"""What a model's RDM is compared with: one RDM a subject, the stimuli, and how well any model could do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from brainscore_core.metrics import Score
from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet

from brainscore_granularity import rsa, stats
from brainscore_granularity.datasets.assembly import average_repeats, first_rows, in_order, only_neuroids
from brainscore_granularity.rsa.comparison import ranked

from .repeat_ceiling import between_repeats, presented, repeats
from .scoring import ceiling_score

__all__ = [
    "Targets", "between_repeats", "between_subjects", "from_rdms", "from_responses", "repeats", "unknown_ceiling",
]  # fmt: skip

MIN_NEUROIDS = 10  # an RDM of fewer is mostly noise; such subjects are left out


@dataclass(frozen=True)
class Targets:
    """RDMs of the subjects of one data set and region.

    rdms : (subjects, n, n), rows in the order of the stimulus set, or of its groups.
    ceiling : computes the noise ceiling; called once, when it is first asked for.
    data : identifier of the data set they were made from.
    neuroids : {subject: number of voxels, electrodes or units}, where there are any.
    groups : (stimuli,) row of the RDMs that each stimulus belongs to, where several stimuli (images of a concept)
        share one; None: a stimulus a row.
    names : of the rows, for messages; None: the stimulus ids.
    missing : names of rows that belong to the data set and could not be shown.
    """

    rdms: np.ndarray
    subjects: list[str]
    stimulus_set: StimulusSet
    ceiling: Callable[[], Score]
    data: str
    neuroids: dict[str, int] = field(default_factory=dict)
    groups: np.ndarray | None = None
    names: list[str] | None = None
    missing: list[str] = field(default_factory=list)

    def of(self, rows: np.ndarray, ceiling: Score | None = None) -> Targets:
        """The RDMs of some rows, compared without images; ``ceiling``: default that between the subjects."""
        rdms = self.rdms[:, rows[:, None], rows]
        names = None if self.names is None else [self.names[row] for row in rows]
        bound = (lambda: between_subjects(rdms)) if ceiling is None else lambda: ceiling
        return replace(self, rdms=rdms, names=names, groups=None, ceiling=bound)


def from_responses(
    assembly,
    subject: str = "subject",
    keep: tuple[str, float] | None = None,
    ceiling: str = "subjects",
    n_stimuli: int | None = None,
) -> Targets:
    """RDMs of the subjects of an assembly, repeated presentations of a stimulus averaged.

    Presentations in which all of a subject's neuroids are NaN are dropped (files pad with them), then neuroids with a
    NaN, then subjects left with fewer than 10 neuroids.

    Parameters
    ----------
    assembly : presentation x neuroid, with the coordinate stimulus_id and the attribute stimulus_set.
    subject : coordinate that names a neuroid's subject.
    keep : (coordinate, threshold): only neuroids above it, such as ("nc_testset", 30).
    ceiling : "subjects" (how well they predict each other) or "repeats" (how well a subject predicts itself).
    n_stimuli : at most this many stimuli, drawn with a fixed seed.
    """
    name = assembly.attrs["identifier"]
    stimuli = _drawn(first_rows(assembly.attrs["stimulus_set"]), n_stimuli)
    order = stimuli["stimulus_id"].values
    responses = {}
    for who in sorted(set(assembly[subject].values)):
        own = presented(assembly.isel(neuroid=np.flatnonzero(assembly[subject].values == who)))
        responses[str(who)] = only_neuroids(own, keep, order, name)
    responses = {who: own for who, own in responses.items() if own.sizes["neuroid"] >= MIN_NEUROIDS}
    if not responses:
        raise ValueError(
            f"{name}: expected a subject with at least {MIN_NEUROIDS} neuroids, got none after dropping NaN"
            + (f" and {keep[0]} <= {keep[1]:g}" if keep else "")
        )
    rdms = np.stack(
        [
            rsa.rdm(in_order(average_repeats(own), order), images=order, layer=f"{name}, subject {who}")
            for who, own in responses.items()
        ]
    )

    def bound():
        return between_repeats(list(responses.values()), order) if ceiling == "repeats" else between_subjects(rdms)

    neuroids = {who: own.sizes["neuroid"] for who, own in responses.items()}
    return Targets(rdms, list(responses), stimuli, bound, name, neuroids)


def from_rdms(assembly) -> Targets:
    """RDMs that were published as such, without the responses they were made from.

    Parameters
    ----------
    assembly : subject x stimulus x other_stimulus, with coordinates subject and stimulus, the latter as in the
        attribute stimulus_set.
    """
    rdms = np.asarray(assembly.transpose("subject", "stimulus", "other_stimulus").values, np.float64)
    stimuli, subjects = assembly.attrs["stimulus_set"], [str(name) for name in assembly["subject"].values]
    if list(assembly["stimulus"].values) != list(stimuli["stimulus_id"].values):
        raise ValueError(f"{assembly.attrs['identifier']}: stimuli of the RDMs differ from the stimulus set")
    return Targets(rdms, subjects, stimuli, lambda: between_subjects(rdms), assembly.attrs["identifier"])


def between_subjects(rdms: np.ndarray) -> Score:
    """How well the subjects' RDMs (subjects, n, n) predict each other: bounds on the true model's score.

    Ranks are pooled and the pool is ranked anew, as a model's RDM is, so that no model can exceed the upper bound and
    one could reach it. Bounds by other pools are kept beside: ``mean_pool``, from the mean RDM, as they are usually
    published; ``rank_pool``, from the mean ranks as they are (their Pearson correlation with each subject's ranks),
    which is above what any ranked RDM can reach. With one subject there is none to predict: the ceiling is then
    unknown.
    """
    if len(rdms) < 2:
        return unknown_ceiling()
    ceiling = ceiling_score(*stats.noise_ceiling(rdms, pool="rank"), kind="subjects")
    ceiling.attrs["mean_pool"] = tuple(stats.noise_ceiling(rdms))
    ceiling.attrs["rank_pool"] = tuple(stats.noise_ceiling([ranked(rdm) for rdm in rdms], "pearson"))
    return ceiling


def unknown_ceiling() -> Score:
    """Nothing says how well a model could do. The value is then the raw score."""
    return ceiling_score(lower=float("nan"), upper=1.0, kind="unknown")


def _drawn(stimuli: StimulusSet, n: int | None) -> StimulusSet:
    if n is None or len(stimuli) <= n:
        return stimuli
    chosen = np.sort(np.random.default_rng(0).choice(len(stimuli), n, replace=False))
    drawn = stimuli.iloc[chosen].reset_index(drop=True)
    drawn.stimulus_paths, drawn.identifier = stimuli.stimulus_paths, f"{stimuli.identifier}--first-draw-of-{n}"
    return drawn
