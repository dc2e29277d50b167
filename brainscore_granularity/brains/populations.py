"""Populations of units that were recorded together, each with images of its own: sessions of animals, or subjects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet

from brainscore_granularity.datasets.assembly import first_rows, only_neuroids
from brainscore_granularity.datasets.stimuli import joined, part_of
from brainscore_granularity.rsa import encoding

from .repeat_ceiling import of_repeats, of_units, presented, repeats
from .targets import MIN_NEUROIDS

MIN_IMAGES = 20  # a population that is left with fewer is left out


@dataclass(frozen=True)
class Population:
    """One population's responses to the images that it was shown.

    name : of the session, or of the subject.
    subject : whose units they are.
    rows : (images,) rows of the stimulus set.
    values : responses (repeats, units) to each of these images.
    repeated : whether there are repeats; else the one value is known to be a mean over some, or there is no other.
    known_signal : (units,) share of signal that the data set states, used where there are no repeats.
    """

    name: str
    subject: str
    rows: np.ndarray
    values: list[np.ndarray]
    repeated: bool
    known_signal: np.ndarray | None = None

    @cached_property
    def responses(self) -> np.ndarray:
        """(images, units) means over repeats."""
        return np.stack([own.mean(axis=0) for own in self.values])

    @cached_property
    def signal(self) -> np.ndarray | None:
        """(units,) share of the variance of the means that is signal; None where nothing tells it."""
        if not self.repeated:
            return self.known_signal
        padded = np.full((max(map(len, self.values)), *self.responses.shape), np.nan)
        for image, own in enumerate(self.values):
            padded[: len(own), image] = own
        return encoding.signal_share(padded)

    def rdm_bounds(self, order) -> tuple[float, float]:
        """Noise ceiling of RSA, lower and upper: from repeats, or from halves of the units where there are none."""
        return of_repeats(self.values, order[self.rows]) if self.repeated else of_units(self.responses)

    def of(self, rows: np.ndarray) -> Population:
        """The images among ``rows`` of the stimulus set, which are the rows of the new one."""
        there = np.flatnonzero(np.isin(self.rows, rows))
        new = np.searchsorted(rows, self.rows[there])
        return replace(self, rows=new, values=[self.values[image] for image in there])


@dataclass(frozen=True)
class Populations:
    """The populations of a data set and their images, an image that several of them were shown once.

    data : identifiers of the data sets that they were made from.
    """

    members: list[Population]
    stimulus_set: StimulusSet
    data: str

    @cached_property
    def weights(self) -> np.ndarray:
        """(populations,) weights of a mean over subjects of the means over a subject's populations."""
        subjects = [one.subject for one in self.members]
        return np.array([1 / (len(set(subjects)) * subjects.count(subject)) for subject in subjects])

    @property
    def units(self) -> dict[str, int]:
        """Number of units of each population."""
        return {one.name: one.responses.shape[1] for one in self.members}

    def by_subject(self, scores) -> dict[str, float]:
        """Mean over the populations of each subject."""
        subjects = dict.fromkeys(one.subject for one in self.members)
        pairs = list(zip(self.members, scores, strict=True))
        return {who: float(np.mean([score for one, score in pairs if one.subject == who])) for who in subjects}

    def of(self, rows: np.ndarray) -> Populations:
        """Some rows of the stimulus set (ascending), and the populations that keep enough images among them."""
        left = [member for one in self.members if len((member := one.of(rows)).rows) >= MIN_IMAGES]
        return replace(self, members=left, stimulus_set=part_of(self.stimulus_set, rows))


def populations(
    identifier: str,
    assemblies: list,
    subject: str = "subject",
    keep: tuple[str, float] | None = None,
    whole: float | None = None,
) -> Populations:
    """The populations of some assemblies: one for each subject of each.

    Presentations in which all of a subject's units are NaN are dropped, then units with a NaN or without variance, then
    populations with fewer than 10 units.

    Parameters
    ----------
    identifier : registered stimulus set, after which the union of the assemblies' stimulus sets is named.
    assemblies : presentation x neuroid, with the coordinate stimulus_id and the attribute stimulus_set; with the
        attribute ``repeats`` false, what it repeats is no sample of the noise.
    subject : coordinate that names a neuroid's subject; where the neuroids name sessions, populations are called so.
    keep : (coordinate, threshold): only neuroids above it.
    whole : value of that coordinate in a neuroid without noise, where it is a share of signal: 100 for percent.
    """
    stimuli = joined(identifier, [first_rows(each.attrs["stimulus_set"]) for each in assemblies])
    row = {stimulus: i for i, stimulus in enumerate(stimuli["stimulus_id"])}
    members = []
    for assembly in assemblies:
        order = first_rows(assembly.attrs["stimulus_set"])["stimulus_id"].values
        rows = np.array([row[stimulus] for stimulus in order])
        for who in sorted(set(assembly[subject].values)):
            own = presented(assembly.isel(neuroid=np.flatnonzero(assembly[subject].values == who)))
            own = only_neuroids(own, keep, order, assembly.attrs["identifier"])
            signal = None if whole is None else np.asarray(own[keep[0]].values, float) / whole
            values, known = repeats(own, order), assembly.attrs.get("repeats", True)
            members.append(_population(_name(own, str(who)), str(who), rows, values, known, signal))
    members = [one for one in members if one.responses.shape[1] >= MIN_NEUROIDS]
    names = ", ".join(each.attrs["identifier"] for each in assemblies)
    if not members:
        raise ValueError(f"{names}: expected a subject with at least {MIN_NEUROIDS} units, got none after dropping NaN")
    return Populations(members, stimuli, names)


def _population(name: str, subject: str, rows, values: list, repeats_are_known: bool, signal) -> Population:
    shown = [len(own) for own in values]
    if min(shown) == 0:
        raise ValueError(f"{name}: no response to {shown.count(0)} of {len(shown)} stimuli")
    varies = np.std([own.mean(axis=0) for own in values], axis=0) > 0
    if not varies.all():
        values, signal = [own[:, varies] for own in values], None if signal is None else signal[varies]
    in_order = np.argsort(rows)  # so that a part of the stimulus set keeps the order
    repeated = bool(repeats_are_known and min(shown) >= 2)
    return Population(name, subject, rows[in_order], [values[image] for image in in_order], repeated, signal)


def _name(assembly, subject: str) -> str:
    try:  # coords does not list the levels of a multi-index
        return str(assembly["session"].values[0])
    except (KeyError, IndexError):
        return subject
