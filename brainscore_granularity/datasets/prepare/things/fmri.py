"""THINGS-fMRI: responses of three people to THINGS images (Hebart et al. 2023, eLife), from the owners' tables.

Single-trial responses are z-scored for each voxel within each session, over all trials of the session (820: 720
training images once, the 100 test images once). Voxels that do not vary in one of the sessions, or have NaN, are left
out. The whole table of a subject (16 GB) is never in memory: rows are read in pieces, and only the voxels of the
regions are kept.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import write_atomically

from .. import assemblies, files, store
from ..registry import DATASETS
from ..reliability import split_half
from . import fmri_tables
from . import images as things_images

SUBJECTS = ("01", "02", "03")
SPLITS = ("train", "test", "concepts720")


def prepare(source: Path, images: Path | None = None, say: Callable[[str], None] = print) -> list[str]:
    """Make ``Hebart2023_fmri_local.{V1,V2,V4,LOC,IT}.{train,test,concepts720}``.

    ``train`` has 8,640 images once, ``test`` 100 images 12 times (all repetitions of an image in a row, in the order
    of the sessions), ``concepts720`` one of the training images of each of the 720 concepts: the first by name.
    Subjects with a missing file are left out. An interrupted run resumes with the next subject.

    Parameters
    ----------
    source : folder of sub-0{1,2,3}_{ResponseData.h5,StimulusMetadata.csv,VoxelMetadata.csv}, or its parent.
    images : the THINGS images; by default below ``source``, or in the folder used by an earlier preparation.

    Returns
    -------
    Identifiers of the builds.
    """
    given, source = Path(source), Path(source) / "betas_csv"
    source = source if source.is_dir() else given
    subjects = _subjects(source, say)
    trials = {subject: fmri_tables.read_trials(_paths(source, subject)[1]) for subject in subjects}
    chosen = {split: fmri_tables.images_of(trials, split) for split in SPLITS}
    folder = things_images.folder(chosen["test"][0], given, images)
    inputs = {
        "images": str(folder),
        "files": {s: [files.fingerprint(path) for path in _paths(source, s)] for s in subjects},
    }
    identifiers = list(DATASETS["things-fmri"].identifiers)
    if all(store.is_made_from(identifier, inputs) for identifier in identifiers):
        say(f"{len(identifiers)} builds of THINGS-fMRI: ready, made from these files before")
        return identifiers
    stimuli = {split: things_images.table(paths) for split, paths in chosen.items()}
    kept = {s: _kept(source, s, trials[s], inputs["files"][s], say) for s in subjects}
    for region in fmri_tables.REGIONS:
        _prepare_region(region, kept, stimuli, folder, inputs, say)
    kept.clear()
    shutil.rmtree(_work())
    return identifiers


@dataclass(frozen=True)
class Kept:
    """The data kept of one subject: the usable voxels of all regions."""

    trials: object
    """Data frame, one row per trial."""
    voxels: object
    """Data frame, one row per voxel."""
    responses: np.ndarray
    """(all voxels, trials) float32 in a file; the column ``row`` of ``voxels`` gives a voxel's row."""
    dropped: int
    sha256: str
    """SHA-256 of the owners' responses that were read."""


def _prepare_region(region: str, kept: dict[str, Kept], stimuli, folder, inputs, say) -> None:
    identifiers = {split: f"Hebart2023_fmri_local.{region}.{split}" for split in SPLITS}
    if all(store.is_made_from(identifier, inputs) for identifier in identifiers.values()):
        return
    neuroids = [_neuroids(subject, region, one, stimuli["test"]) for subject, one in kept.items()]
    neuroids = {name: np.concatenate([one[name] for one in neuroids]) for name in neuroids[0]}
    for split, identifier in identifiers.items():
        parts, repeats = [], set()
        for one in kept.values():
            order, n = fmri_tables.trials_of(one.trials, stimuli[split])
            parts.append(_responses(one, region)[:, order].T)
            repeats.add(n)
        if len(repeats) != 1:
            raise ValueError(f"{identifier}: expected equally many repetitions of all subjects, got {sorted(repeats)}")
        assembly = assemblies.neuroid_assembly(
            np.concatenate(parts, axis=1),
            presentation=things_images.presentation(stimuli[split], repeats.pop()),
            neuroid=neuroids,
        )
        source = {
            "inputs": inputs,
            "subjects": list(kept),
            "sha256_of_responses_read": {subject: one.sha256 for subject, one in kept.items()},
            "dropped_voxels_of_all_regions": {subject: one.dropped for subject, one in kept.items()},
        }
        store.save(identifier, assembly, stimuli[split], folder, f"Hebart2023_fmri_local.{split}", source)
        say(f"{identifier}: {assembly.sizes['presentation']} presentations of {len(stimuli[split])} images, "
            f"{assembly.sizes['neuroid']} voxels of {len(kept)} subjects")  # fmt: skip


def _neuroids(subject: str, region: str, kept: Kept, test) -> dict[str, np.ndarray]:
    voxels = kept.voxels[kept.voxels[region] > 0]
    order, repeats = fmri_tables.trials_of(kept.trials, test)
    shown = _responses(kept, region)[:, order].reshape(len(voxels), len(test), repeats)
    odd, even = (shown[:, :, half::2].mean(axis=2).T for half in (0, 1))
    return {
        "neuroid_id": np.array([f"sub-{subject}_{region}_v{number:06d}" for number in voxels["voxel_id"]]),
        "subject": np.repeat(subject, len(voxels)),
        "region": np.repeat(region, len(voxels)),
        "roi": voxels[list(fmri_tables.REGIONS[region])].idxmax(axis=1).to_numpy(str),
        "reliability": split_half(odd, even),
        **{name: voxels[name].to_numpy() for name in fmri_tables.ABOUT_VOXELS},
    }


def _responses(kept: Kept, region: str) -> np.ndarray:
    """Responses of a region, (voxels of the region, trials)."""
    return kept.responses[kept.voxels["row"][kept.voxels[region] > 0].to_numpy()]


def _kept(source: Path, subject: str, trials, fingerprints: list[dict], say) -> Kept:
    """The z-scored responses of a subject, read once and kept in a file until all builds are made."""
    values, record = _work() / f"sub-{subject}.npy", _work() / f"sub-{subject}.json"
    responses_file, _, voxels_file = _paths(source, subject)
    voxels, n_voxels = fmri_tables.read_voxels(voxels_file)
    try:
        known = json.loads(record.read_text())
    except FileNotFoundError:
        known = {}
    if known.get("files") != fingerprints:
        record.unlink(missing_ok=True)
        responses, usable, sha256 = fmri_tables.read_responses(responses_file, voxels, n_voxels, trials)
        _work().mkdir(parents=True, exist_ok=True)
        with open(values, "wb") as file:
            np.save(file, responses)
            file.flush()
            os.fsync(file.fileno())
        known = {"files": fingerprints, "usable": usable.tolist(), "sha256": sha256}
        write_atomically(record, json.dumps(known))
    usable = np.array(known["usable"])
    if not usable.all():
        say(f"sub-{subject}: {(~usable).sum()} voxels have NaN, or do not vary in some session: left out")
    voxels = voxels.assign(row=np.arange(len(voxels)))[usable]
    return Kept(trials, voxels, np.load(values, mmap_mode="r"), int((~usable).sum()), known["sha256"])


def _work() -> Path:
    return store.root() / ".things_fmri"


def _paths(source: Path, subject: str) -> list[Path]:
    names = ("ResponseData.h5", "StimulusMetadata.csv", "VoxelMetadata.csv")
    return [source / f"sub-{subject}_{name}" for name in names]


def _subjects(source: Path, say) -> tuple[str, ...]:
    subjects = tuple(s for s in SUBJECTS if all(path.is_file() for path in _paths(source, s)))
    absent = [path for s in SUBJECTS for path in _paths(source, s) if not path.is_file()]
    if not subjects:
        files.require(DATASETS["things-fmri"], source, absent)
    if absent:
        say(f"prepared from sub-{', sub-'.join(subjects)} alone; not there: {', '.join(p.name for p in absent)}")
    return subjects
