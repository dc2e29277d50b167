"""Natural Scenes Dataset: single-trial betas in 1.8 mm volumes -> one build per region.

Responses are z-scored for each voxel within each session (over all 750 trials) and averaged over an image's
presentations. ``test`` holds the shared images that all subjects saw three times (515 when all eight and all sessions
are there), with the neuroids of all subjects. ``train.subjXX`` holds 1,000 images that only this subject saw, so that
layers are chosen on other images than they are scored on; there is one build per subject because a joint array would
be mostly empty. Both have the same neuroids for a subject.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from brainscore_granularity.progress import progress

from .. import assemblies, files, images, store
from ..reliability import noise_ceiling
from ..repeats import Repeats
from . import design, voxels
from .files import volume
from .plan import Plan, make_plan, state, stimuli_file

IMAGES = "Allen2022_fmri_images"
SIZE = 425  # pixels; 8.4 degrees


def prepare(
    source: Path,
    subjects: tuple[int, ...] = (),
    regions: tuple[str, ...] = (),
    repeats: int = 3,
    train_images: int = 1000,
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> list[str]:
    """Make the local builds of NSD.

    Parameters
    ----------
    source : folder that holds ``nsddata``, ``nsddata_betas`` and ``nsddata_stimuli`` as in the owner's bucket.
    subjects : numbers from 1 to 8; by default all subjects with a session in the folder.
    regions : names in ``nsd_files.REGIONS``; by default all with a map in the folder.
    repeats : how often every subject must have seen a test image.
    train_images : number of images, seen by one subject only, on which layers are chosen.
    seed : seed of the choice of those images.

    Returns
    -------
    Identifiers of the builds.
    """
    source = Path(source)
    plan = make_plan(source, subjects, regions, repeats, train_images, seed)
    for line in plan.summary():
        say(line)
    todo = [region for region in plan.regions if not plan.is_done(region)]
    if todo:
        _write_images(plan)
        parts = {part.subject.number: part.of(todo) for part in plan.parts}
        with progress("reading sessions", sum(len(part.sessions) for part in plan.parts)) as advance:
            for part in plan.parts:
                for session in part.sessions.values():
                    found = parts[part.subject.number]
                    session.extract(found.indices, found.shape)
                    advance(f"{part.subject.name} {session.path.name}")
        with progress("writing regions", len(todo)) as advance:
            for region in todo:
                _build(plan, region, parts, say)
                advance(region)
    shutil.rmtree(state(), ignore_errors=True)
    return [identifier for region in plan.regions for identifier in plan.identifiers(region)]


def _build(plan: Plan, region: str, found: dict[int, voxels.Voxels], say) -> None:
    means, neuroids, presentations, records, dropped = [], [], [], [], 0
    for part in plan.with_region(region):
        own = found[part.subject.number]
        columns = own.columns[region]
        test, train = Repeats(plan.test, len(columns)), Repeats(part.train, len(columns))
        for session in part.sessions.values():
            trials = session.trials(own.indices, columns)
            test.add(*trials)
            train.add(*trials)
        responses = {"test": test.mean(), "train": train.mean()}
        whole = np.isfinite(responses["test"]).all(axis=0) & np.isfinite(responses["train"]).all(axis=0)
        if not whole.any():
            raise ValueError(f"{part.subject.name} has no voxel in {region} with data in every session")
        ncsnr = volume(part.subject.ncsnr)[tuple(own.indices[columns].T)]
        coordinates = {
            **own.coordinates(region),
            "nc_testset": noise_ceiling(ncsnr, test.counts),
            "reliability": test.reliability(),
        }
        coordinates = {name: values[whole] for name, values in coordinates.items()}
        record = {
            "subject": part.subject.name,
            "voxels": int(whole.sum()),
            "dropped_voxels": int((~whole).sum()),
            "sessions": [
                files.fingerprint(session.path) | {"read_sha256": session.read_sha256(own.indices)}
                for session in part.sessions.values()
            ],
        }
        _save(plan, f"{region}.train.{part.subject.name}", part.train, responses["train"][:, whole], train.counts,
              coordinates, [record])  # fmt: skip
        means.append(responses["test"][:, whole])
        neuroids.append(coordinates)
        presentations.append(test.counts)
        records.append(record)
        dropped += record["dropped_voxels"]
    fewest = np.min(presentations, axis=0)
    _save(plan, f"{region}.test", plan.test, np.concatenate(means, axis=1), fewest, voxels.joint(neuroids), records)
    if dropped:
        say(f"{region}: {dropped} voxels dropped, because a session has no data for them")


def _save(plan: Plan, name: str, nsd_ids, responses, presentations, neuroids: dict, records: list[dict]) -> None:
    import pandas as pd

    ids = [f"nsd_{nsd_id:05d}" for nsd_id in nsd_ids]
    assembly = assemblies.neuroid_assembly(
        responses,
        presentation={"stimulus_id": ids, "nsd_id": nsd_ids, "repetitions": presentations},
        neuroid=neuroids,
        dropped_voxels=sum(record["dropped_voxels"] for record in records),
    )
    region, _, split = name.partition(".")
    store.save(
        f"Allen2022_fmri_local.{name}",
        assembly,
        pd.DataFrame({"stimulus_id": ids, "nsd_id": nsd_ids, "filename": [f"{name}.png" for name in ids]}),
        store.image_folder(IMAGES),
        f"Allen2022_fmri_local.{split}",
        source={
            "inputs": plan.inputs(region),
            "betas": "betas_fithrf_GLMdenoise_RR, func1pt8mm, z-scored within sessions, averaged over presentations",
            "repeats": plan.repeats,
            "seed": plan.seed,
            "subjects": records,
        },
    )


def _write_images(plan: Plan) -> None:
    import h5py

    ids = np.unique(np.concatenate([plan.test, *(part.train for part in plan.parts)]))
    path = stimuli_file(plan.source)
    with files.named(path):
        file = h5py.File(path, "r")
        pixels = file["imgBrick"]
    expected = (design.N_IMAGES, SIZE, SIZE, 3)
    if pixels.shape != expected or pixels.dtype != np.uint8:
        raise ValueError(f"{path}: expected uint8 images {expected}, got {pixels.dtype} {pixels.shape}")

    def image(i):
        with files.named(path):
            return pixels[ids[i]]

    with file:
        names = [f"nsd_{nsd_id:05d}.png" for nsd_id in ids]
        images.write_missing(store.image_folder(IMAGES), names, image, "writing images")
