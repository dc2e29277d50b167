"""The parts of the Natural Scenes Dataset that will be used, decided before any response is read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import sha256_of

from .. import files, store
from ..registry import DATASETS
from . import design as nsd_design
from . import voxels
from .extraction import Session
from .files import REGIONS, SESSIONS, Subject

FEWEST_IMAGES = 10  # an RDM of fewer images is uninformative


@dataclass(frozen=True, eq=False)
class Part:
    """The data that are used of one subject."""

    subject: Subject
    sessions: dict[int, Session]
    masks: dict[str, np.ndarray]
    """Region -> mask (X, Y, Z) with at least one voxel."""
    train: np.ndarray

    def of(self, regions: list[str]) -> voxels.Voxels:
        return voxels.of_masks(self.subject.name, {r: self.masks[r] for r in regions if r in self.masks})


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that is decided before any response is read."""

    source: Path
    parts: list[Part]
    regions: list[str]
    test: np.ndarray
    repeats: int
    seed: int

    def inputs(self, region: str) -> dict:
        """All that a build of a region depends on; a build made from other inputs is outdated."""
        facts = [self.test.tolist(), self.repeats, self.seed]
        for part in self.with_region(region):
            mask = hashlib.sha256(np.argwhere(part.masks[region]).tobytes()).hexdigest()
            stamps = [session.stamp() for session in part.sessions.values()]
            facts.append([part.subject.name, part.train.tolist(), stamps, mask, sha256_of(part.subject.ncsnr)])
        return {"sha256": hashlib.sha256(json.dumps(facts).encode()).hexdigest()}

    def with_region(self, region: str) -> list[Part]:
        return [part for part in self.parts if region in part.masks]

    def identifiers(self, region: str) -> list[str]:
        own = [f"Allen2022_fmri_local.{region}.train.{part.subject.name}" for part in self.with_region(region)]
        return [f"Allen2022_fmri_local.{region}.test", *own]

    def is_done(self, region: str) -> bool:
        """Whether an earlier run made all builds of a region from the same files."""
        inputs = self.inputs(region)
        return all(store.is_made_from(identifier, inputs) for identifier in self.identifiers(region))

    def summary(self) -> list[str]:
        """The data that are used, one line each."""
        lines = [f"{len(self.test)} test images, shared and shown at least {self.repeats} times to every subject used"]
        for part in self.parts:
            lacking = [region for region in self.regions if region not in part.masks]
            lines.append(
                f"{part.subject.name}: {len(part.sessions)} of {SESSIONS[part.subject.number - 1]} sessions, "
                f"{len(part.train)} own images to train on" + f"; without {', '.join(lacking)}" * bool(lacking)
            )
        return lines


def make_plan(source: Path, numbers, regions, repeats: int, train_images: int, seed: int) -> Plan:
    _known("subject", numbers, range(1, len(SESSIONS) + 1))
    _known("region", regions, REGIONS)
    if not 1 <= repeats <= nsd_design.PRESENTATIONS:
        raise ValueError(f"expected repeats from 1 to {nsd_design.PRESENTATIONS}, got {repeats}")
    if train_images < FEWEST_IMAGES:
        raise ValueError(f"expected at least {FEWEST_IMAGES} train images, got {train_images}")
    everyone = [Subject(source, number) for number in numbers or range(1, len(SESSIONS) + 1)]
    subjects = everyone if numbers else [subject for subject in everyone if subject.sessions()]
    _require(source, subjects or everyone[:1], regions)
    design = nsd_design.read(source / "nsddata" / "experiments" / "nsd" / "nsd_expdesign.mat")
    sessions = {subject.number: subject.sessions() for subject in subjects}
    test = design.test_images(sessions, repeats)
    if len(test) < FEWEST_IMAGES:
        others = [f"{len(design.test_images(sessions, n))} with --repeats {n}" for n in range(1, repeats)]
        raise ValueError(
            f"only {len(test)} shared images were shown {repeats} times to every subject in the sessions that are "
            f"there; {' and '.join(others) or 'more sessions are needed'}"
        )
    parts = []
    for subject in subjects:
        masks = {region: subject.roi(region) for region in regions or REGIONS}
        train = design.train_images(subject.number, sessions[subject.number], train_images, seed)
        parts.append(
            Part(
                subject,
                {n: _session(design, subject, n, path, train) for n, path in sessions[subject.number].items()},
                {region: mask for region, mask in masks.items() if mask is not None and mask.any()},
                train,
            )
        )
    used = [region for region in regions or REGIONS if any(region in part.masks for part in parts)]
    if absent := [region for region in regions if region not in used]:
        raise ValueError(f"no subject has voxels in {', '.join(absent)}")
    return Plan(source, parts, used, test, repeats, seed)


def _session(design: nsd_design.Design, subject: Subject, number: int, path: Path, train: np.ndarray) -> Session:
    """A session with only the trials of shared images or of the chosen images of the subject: about 150 of 750."""
    shown = design.session(subject.number, number)
    wanted = np.isin(shown, np.concatenate([design.shared, train]))
    return Session(path, np.where(wanted, shown, -1), state() / subject.name)


def _require(source: Path, subjects: list[Subject], regions) -> None:
    needed = [source / "nsddata" / "experiments" / "nsd" / "nsd_expdesign.mat", stimuli_file(source)]
    for subject in subjects:
        needed += [subject.ncsnr]
        if not subject.sessions():
            needed += [subject.session(1)]
        atlases = {REGIONS[region][0] for region in regions or REGIONS}
        absent = sorted(atlas for atlas in atlases if not subject.roi_files(atlas))
        if regions or len(absent) == len(atlases):
            needed += [subject.roi_path(atlas) for atlas in absent]
    files.require(DATASETS["nsd"], source, needed)


def stimuli_file(source: Path) -> Path:
    return source / "nsddata_stimuli" / "stimuli" / "nsd" / "nsd_stimuli.hdf5"


def state() -> Path:
    return store.root() / ".nsd-sessions"


def _known(what: str, given, known) -> None:
    if unknown := [name for name in given if name not in known]:
        raise ValueError(f"no {what} {unknown[0]!r}; there are: {', '.join(map(str, known))}")
