"""Small files in the formats of the Natural Scenes Dataset, with responses that are known.

Design and stimuli have their real sizes (sparse on disk), brains are small. A voxel's response to an image is its
tuning times the image's latent vector; sessions have gains and offsets of their own, and trials may have noise.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import nibabel
import numpy as np
from scipy.io import savemat

SHAPES = {1: (7, 9, 8), 2: (8, 6, 10), 3: (6, 7, 8)}
SESSIONS = (1, 2)
N_SHARED_THRICE, N_SHARED_TWICE, N_OWN = 100, 450, 100  # in two sessions: 300 + 900 + 300 trials
LABELS = {"prf-visualrois": range(1, 8), "streams": range(1, 8), "floc-faces": (1, 2, 3, 5), "floc-places": (1, 2, 3)}
DEAD = {1: (3, 4, 5), 2: (1, 2, 3), 3: (2, 2, 2)}  # in V1 of every subject; nothing recorded in the last session


def design(seed=0):
    """masterordering (1, 30000), subjectim (8, 10000) and sharedix (1, 1000), all counted from 1."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(73_000) + 1
    shared, own = ids[:1000], ids[1000:].reshape(8, 9000)
    early = np.concatenate(
        [
            np.repeat(np.arange(N_SHARED_THRICE), 3),
            np.repeat(np.arange(N_SHARED_THRICE, N_SHARED_THRICE + N_SHARED_TWICE), 2),
            np.repeat(1000 + np.arange(N_OWN), 3),
        ]
    )
    left = np.repeat(np.arange(10_000), 3 - np.bincount(early, minlength=10_000))
    order = np.concatenate([rng.permutation(early), rng.permutation(left)]) + 1
    subjectim = np.concatenate([np.tile(shared, (8, 1)), own], axis=1)
    return {"masterordering": order[None], "subjectim": subjectim, "sharedix": np.sort(shared)[None]}


def shown(content: dict, subject: int, session: int) -> np.ndarray:
    """nsdId (from 0) of every trial of a session, by the owner's rule."""
    t = np.arange((session - 1) * 750, session * 750)
    return content["subjectim"][subject - 1, content["masterordering"][0, t] - 1] - 1


def signal(subject: int, nsd_ids: np.ndarray) -> np.ndarray:
    """(X, Y, Z, images) percent signal change of every voxel, without noise."""
    tuning = np.random.default_rng(subject).normal(size=(*SHAPES[subject], 6))
    latents = np.array([np.random.default_rng(int(i)).normal(size=6) for i in nsd_ids])
    return tuning @ latents.T


def responses(subject: int, session: int, nsd_ids: np.ndarray, noise: float) -> np.ndarray:
    """(X, Y, Z, trials) int16 as the owner stores them."""
    rng = np.random.default_rng([subject, session])
    gain, offset = rng.uniform(0.5, 1.5, SHAPES[subject]), rng.normal(size=SHAPES[subject])
    percent = signal(subject, nsd_ids) + noise * rng.normal(size=(*SHAPES[subject], len(nsd_ids)))
    stored = np.round(300 * (gain[..., None] * percent + offset[..., None])).astype(np.int16)
    if session == SESSIONS[-1]:
        stored[DEAD[subject]] = 0
    return stored


def roi(subject: int, atlas: str) -> np.ndarray:
    """(X, Y, Z) labels, -1 outside of cortex. Subject 2 lacks PPA, subject 1 lacks FFA-2."""
    rng = np.random.default_rng([subject, list(LABELS).index(atlas)])
    labels = rng.choice([-1, 0, *LABELS[atlas]], SHAPES[subject])
    if atlas == "prf-visualrois":
        labels[DEAD[subject]] = 1
    if (subject, atlas) in ((2, "floc-places"), (1, "floc-faces")):
        labels[labels == (2 if subject == 2 else 3)] = 0
    return labels


def ncsnr(subject: int) -> np.ndarray:
    values = np.random.default_rng([subject, 99]).uniform(0, 1.5, SHAPES[subject]).astype(np.float32)
    values[0, 0] = np.nan
    return values


def image(nsd_id: int) -> np.ndarray:
    """425 x 425 x 3; colour and corner say which image it is and which way up."""
    pixels = np.empty((425, 425, 3), np.uint8)
    pixels[:] = nsd_id >> 16, nsd_id >> 8 & 255, nsd_id & 255
    pixels[:10, :20] = 255
    return pixels


def write_nifti(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), path)


def write_betas(folder: Path, name: str, stored: np.ndarray, suffix: str) -> Path:
    """(X, Y, Z, trials) in either of the owner's formats."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}{suffix}"
    if suffix == ".nii.gz":
        write_nifti(path, stored)
    else:
        with h5py.File(path, "w") as file:
            file.create_dataset("betas", data=stored.T, chunks=(stored.shape[-1], 1, 1, 1))
    return path


def write(folder: Path, subjects=(1, 2), suffix=".hdf5", noise=0.5, sessions=SESSIONS) -> dict:
    """Everything ``prepare`` reads, under ``folder``; returns the design."""
    content = design()
    experiment = folder / "nsddata" / "experiments" / "nsd"
    experiment.mkdir(parents=True)
    savemat(experiment / "nsd_expdesign.mat", content)
    for subject in subjects:
        name = f"subj{subject:02d}"
        betas = folder / "nsddata_betas" / "ppdata" / name / "func1pt8mm" / "betas_fithrf_GLMdenoise_RR"
        for session in sessions:
            stored = responses(subject, session, shown(content, subject, session), noise)
            write_betas(betas, f"betas_session{session:02d}", stored, suffix)
        write_nifti(betas / "ncsnr.nii.gz", ncsnr(subject))
        write_rois(folder, subject)
    used = [shown(content, subject, session) for subject in subjects for session in sessions]
    write_stimuli(folder, np.unique(np.concatenate(used)))
    return content


def write_rois(folder: Path, subject: int) -> None:
    """One map for both hemispheres, but for subject 2 one for each: -1 stands for the other one too."""
    rois = folder / "nsddata" / "ppdata" / f"subj{subject:02d}" / "func1pt8mm" / "roi"
    for atlas in LABELS:
        labels = roi(subject, atlas)
        if subject != 2:
            write_nifti(rois / f"{atlas}.nii.gz", labels.astype(np.float32))
            continue
        left = np.arange(labels.shape[0])[:, None, None] < labels.shape[0] // 2
        write_nifti(rois / f"lh.{atlas}.nii.gz", np.where(left, labels, -1).astype(np.float32))
        write_nifti(rois / f"rh.{atlas}.nii.gz", np.where(left, -1, labels).astype(np.float32))


def write_stimuli(folder: Path, nsd_ids: np.ndarray) -> None:
    path = folder / "nsddata_stimuli" / "stimuli" / "nsd" / "nsd_stimuli.hdf5"
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        bricks = file.create_dataset(
            "imgBrick", (73_000, 425, 425, 3), np.uint8, chunks=(1, 425, 425, 3), compression="gzip", compression_opts=1
        )
        for nsd_id in nsd_ids:
            bricks[nsd_id] = image(nsd_id)
