"""Single-trial responses of chosen voxels from one session's file, HDF5 or NIfTI, and their normalisation.

The owner publishes both formats. HDF5 holds ``betas`` (trials, Z, Y, X), NIfTI (X, Y, Z, trials): voxel (i, j, k) of a
mask (X, Y, Z) is ``betas[t, k, j, i]`` in HDF5 and ``[i, j, k, t]`` in NIfTI. Values are int16, percent signal
change times 300. A whole session is about 1 GB as an array; only the chosen voxels are kept in memory, trials x voxels
x 2 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..files import named, open_nifti

SCALE = 300  # stored value of 1% signal change
GAP = 8  # voxels; it is faster to read across a gap this short than to read twice
BLOCK = 1024  # voxels normalised at a time


def read(path: Path, voxels: np.ndarray, shape: tuple[int, int, int], trials: int) -> np.ndarray:
    """Stored values (voxels, trials) int16 of voxels (n, 3), rows (i, j, k) in a volume (X, Y, Z) = ``shape``."""
    reader = _read_hdf5 if path.suffix in (".hdf5", ".h5") else _read_nifti
    with named(path):
        return reader(path, voxels, tuple(shape), trials)


def standardise(values: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """z-scores of some trials, (len(trials), voxels) float32, with mean and standard deviation over all trials.

    values : (voxels, all trials) int16 of one session. A voxel that does not vary becomes NaN: it was not recorded (the
    owner writes 0 for invalid data).
    """
    out = np.empty((len(trials), len(values)), np.float32)
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK] / SCALE
        spread = block.std(axis=1, keepdims=True)
        spread[spread == 0] = np.nan
        out[:, start : start + BLOCK] = ((block[:, trials] - block.mean(axis=1, keepdims=True)) / spread).T
    return out


def _read_hdf5(path: Path, voxels: np.ndarray, shape: tuple, trials: int) -> np.ndarray:
    import h5py

    out = np.empty((len(voxels), trials), np.int16)
    with h5py.File(path, "r") as file:
        betas = file["betas"]
        _check(path, betas.shape, (trials, *shape[::-1]), betas.dtype)
        for rows, (k, j), first, last in _runs(voxels):
            run = betas[:, k, j, first : last + 1]
            out[rows] = run[:, voxels[rows, 0] - first].T
    return out


def _read_nifti(path: Path, voxels: np.ndarray, shape: tuple, trials: int) -> np.ndarray:
    out = np.empty((len(voxels), trials), np.int16)
    image = open_nifti(path)
    _check(path, image.shape, (*shape, trials), image.get_data_dtype())
    i, j, k = voxels.T
    for trial in range(trials):
        out[:, trial] = np.asarray(image.dataobj[..., trial])[i, j, k]
    return out


def _runs(voxels: np.ndarray) -> Iterator[tuple[np.ndarray, tuple[int, int], int, int]]:
    """Groups of voxels that lie close together along X: (their rows, (k, j), first i, last i)."""
    order = np.lexsort(voxels.T)  # by k, then j, then i
    i, j, k = voxels[order].T
    new = (np.diff(k) != 0) | (np.diff(j) != 0) | (np.diff(i) > GAP)
    for rows in np.split(order, np.flatnonzero(new) + 1):
        first, last = rows[0], rows[-1]
        yield rows, (int(voxels[first, 2]), int(voxels[first, 1])), int(voxels[first, 0]), int(voxels[last, 0])


def _check(path: Path, found: tuple, expected: tuple, dtype) -> None:
    if tuple(found) != tuple(expected) or dtype != np.int16:
        raise ValueError(
            f"{path}: expected int16 betas of shape {tuple(expected)} to go with the subject's masks, got {dtype} "
            f"{tuple(found)}"
        )
