"""What a model's RDM is compared with: one RDM a subject, the stimuli, and how well any model could do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from brainscore_core.metrics import Score
from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet

from . import rsa, stats
from .assembly import average_repeats, in_order
from .scoring import ceiling_score


@dataclass(frozen=True)
class Targets:
    """RDMs of the subjects of one data set and region.

    rdms : (subjects, n, n), rows in the order of the stimulus set.
    ceiling : computes the noise ceiling; called once, when it is first asked for.
    data : identifier of the data set they were made from.
    """

    rdms: np.ndarray
    subjects: list[str]
    stimulus_set: StimulusSet
    ceiling: Callable[[], Score]
    data: str


def from_responses(assembly) -> Targets:
    """RDMs of the subjects of an assembly, repeated presentations of a stimulus averaged.

    Parameters
    ----------
    assembly : presentation x neuroid, with coordinates stimulus_id and subject and the attribute stimulus_set.
    """
    stimuli = assembly.attrs["stimulus_set"]
    order, name = stimuli["stimulus_id"].values, assembly.attrs["identifier"]
    subjects = sorted(set(assembly["subject"].values))
    rdms = []
    for subject in subjects:
        responses = in_order(average_repeats(assembly.sel(neuroid=assembly["subject"] == subject)), order)
        rdms.append(rsa.rdm(responses, images=order, layer=f"{name}, subject {subject}"))
    rdms = np.stack(rdms)
    return Targets(rdms, subjects, stimuli, lambda: between_subjects(rdms), name)


def from_rdms(assembly) -> Targets:
    """RDMs that were published as such, without the responses they were made from.

    Parameters
    ----------
    assembly : subject x stimulus x other_stimulus, with coordinates subject and stimulus, the latter as in the
        attribute stimulus_set. With one subject there is no ceiling.
    """
    rdms = np.asarray(assembly.transpose("subject", "stimulus", "other_stimulus").values, np.float64)
    stimuli, subjects = assembly.attrs["stimulus_set"], [str(name) for name in assembly["subject"].values]
    if list(assembly["stimulus"].values) != list(stimuli["stimulus_id"].values):
        raise ValueError(
            f"{assembly.attrs['identifier']}: the RDMs' stimuli are not those of the stimulus set, in order"
        )
    ceiling = (lambda: between_subjects(rdms)) if len(subjects) > 1 else unknown_ceiling
    return Targets(rdms, subjects, stimuli, ceiling, assembly.attrs["identifier"])


def between_subjects(rdms: np.ndarray) -> Score:
    """How well the subjects' RDMs (subjects, n, n) predict each other: bounds on the true model's score.

    Ranks are pooled, so that no model can exceed the upper bound; ``mean_pool`` holds the bounds from the mean RDM, as
    they are usually published.
    """
    ceiling = ceiling_score(*stats.noise_ceiling(rdms, pool="rank"), kind="subjects")
    ceiling.attrs["mean_pool"] = tuple(stats.noise_ceiling(rdms))
    return ceiling


def unknown_ceiling() -> Score:
    """One RDM and no repeats: nothing says how well a model could do. The value is then the raw score."""
    return ceiling_score(lower=float("nan"), upper=1.0, kind="unknown")
