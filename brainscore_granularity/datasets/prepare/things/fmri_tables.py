"""The owners' tables of THINGS-fMRI: trials, voxels, and the large one of responses (voxels x trials)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from brainscore_granularity.progress import progress

from .. import files
from . import images

REGIONS = {  # columns of the table of voxels; a voxel with 1 in any of them is in the region
    "V1": ("V1",),
    "V2": ("V2",),
    "V4": ("hV4",),
    "LOC": ("lLOC", "rLOC"),  # the object-selective region of the localiser, not the retinotopic LO1 and LO2
    "IT": (  # the areas of Brain-Score's Hebart2023_fmri, so that scores can be compared
        "glasser-TE1p", "glasser-TE2p", "glasser-FFC", "glasser-VVC", "glasser-VMV2", "glasser-VMV3", "glasser-PHA1",
        "glasser-PHA2", "glasser-PHA3",
    ),
}  # fmt: skip
ABOUT_VOXELS = (
    "voxel_id", "voxel_x", "voxel_y", "voxel_z", "nc_singletrial", "nc_testset", "splithalf_uncorrected",
    "splithalf_corrected", "prf-eccentricity", "prf-polarangle", "prf-rsquared", "prf-size",
)  # fmt: skip
VOXELS_AT_ONCE = 500  # 40 MB of the owners' table


def read_trials(path: Path):
    """The table of trials: trial_type (train or test), session, stimulus (``dog_12s.jpg``) and concept.

    Row j describes column j of the responses.
    """
    import pandas as pd

    columns = ["trial_type", "session", "stimulus", "concept"]
    try:
        trials = pd.read_csv(path, usecols=columns, keep_default_na=False)
    except ValueError as error:
        raise ValueError(f"{path}: expected the columns {', '.join(columns)} ({error})") from error
    concepts = [images.concept_of(name) for name in trials["stimulus"]]
    if list(trials["concept"]) != concepts or not trials["trial_type"].isin(["train", "test"]).all():
        raise ValueError(
            f"{path}: expected stimuli such as dog_12s.jpg of the concept dog, of train or test; got others"
        )
    return trials


def images_of(trials: dict, split: str) -> list[str]:
    """The images of a split, as ``dog/dog_12s.jpg``, sorted by file name; they must be the same for all subjects."""
    shown = {}
    for subject, table in trials.items():
        table = table[table["trial_type"] == ("test" if split == "test" else "train")]
        if split == "concepts720":
            table = table.sort_values("stimulus").drop_duplicates("concept")
        table = table.drop_duplicates("stimulus").sort_values("stimulus")
        shown[subject] = [
            f"{concept}/{name}" for concept, name in zip(table["concept"], table["stimulus"], strict=True)
        ]
    first = next(iter(shown))
    for subject, names in shown.items():
        if names != shown[first]:
            raise ValueError(f"sub-{subject}: expected the {split} images of sub-{first}, got others")
    return shown[first]


def trials_of(trials, stimuli) -> tuple[np.ndarray, int]:
    """Trials of some stimuli: all repetitions of a stimulus in a row, in the order in which they happened.

    Returns
    -------
    (stimuli x repetitions,) numbers of trials; the number of repetitions.
    """
    name = trials["stimulus"].str.rsplit(".", n=1).str[0]
    place = {stimulus: i for i, stimulus in enumerate(stimuli["stimulus_id"])}
    found = name.map(place).dropna().astype(int)
    order = found.index.to_numpy()[np.argsort(found.to_numpy(), kind="stable")]
    counts = np.bincount(found, minlength=len(stimuli))
    if counts.min() != counts.max():
        raise ValueError(f"expected every image equally often, got {counts.min()} to {counts.max()} times")
    return order, int(counts[0])


def read_voxels(path: Path):
    """The voxels of all regions, and how many voxels the table has.

    Returns
    -------
    Data frame with ABOUT_VOXELS, the columns of REGIONS, a column for each region (0 or 1) and ``place``, the row in
    the owners' tables. Only these of the 222 columns are read; line breaks in their names are removed.
    """
    import pandas as pd

    wanted = {*ABOUT_VOXELS, *(name for names in REGIONS.values() for name in names)}
    voxels = pd.read_csv(path, usecols=lambda name: _plain(name) in wanted).rename(columns=_plain)
    if lacking := wanted - set(voxels.columns):
        raise ValueError(f"{path}: expected the columns {', '.join(sorted(lacking))}, which are not there")
    for region, columns in REGIONS.items():
        voxels[region] = (voxels[list(columns)] > 0).any(axis=1).astype(np.int8)
    voxels["place"] = np.arange(len(voxels))
    return voxels[(voxels[list(REGIONS)] > 0).any(axis=1)].reset_index(drop=True), len(voxels)


def read_responses(path: Path, voxels, n_voxels: int, trials) -> tuple[np.ndarray, np.ndarray, str]:
    """Responses z-scored within sessions, of ``voxels`` only; the table is read VOXELS_AT_ONCE rows at a time.

    n_voxels : rows that the table must have.

    Returns
    -------
    (voxels, trials) float32; (voxels,) bool: finite, and varying in every session; SHA-256 of what was read: the
    rows of ``voxels`` in their order, float64.
    """
    read = hashlib.sha256()
    values, usable = np.empty((len(voxels), len(trials)), np.float32), np.empty(len(voxels), bool)
    sessions = [np.flatnonzero(trials["session"] == session) for session in sorted(set(trials["session"]))]
    part = voxels["place"].to_numpy() // VOXELS_AT_ONCE
    parts = np.unique(part)
    with _opened(path) as table, progress(path.name, len(parts)) as advance:
        if len(table(n_voxels - 1, n_voxels + 1)) != 1:
            raise ValueError(f"{path}: expected {n_voxels} rows, as in the voxel table; one of the two is cut short")
        for number in parts:
            rows, first = np.flatnonzero(part == number), number * VOXELS_AT_ONCE
            piece = table(first, first + VOXELS_AT_ONCE)
            raw = _rows(path, piece, voxels.iloc[rows], first, len(trials))
            read.update(raw.tobytes())
            values[rows], usable[rows] = zscored(raw, sessions)
            advance()
    return values, usable, read.hexdigest()


def zscored(values: np.ndarray, sessions: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Values (voxels, trials) z-scored within each session, and which voxels vary in all sessions."""
    out, usable = np.zeros_like(values), np.isfinite(values).all(axis=1)
    for trials in sessions:
        part = values[:, trials]
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = part.std(axis=1, keepdims=True)
            out[:, trials] = (part - part.mean(axis=1, keepdims=True)) / spread
        usable &= (spread > 1e-12 * np.abs(part).max(axis=1, keepdims=True)).ravel()
    out[~usable] = 0
    return out, usable


def _rows(path: Path, piece, voxels, first: int, n_trials: int) -> np.ndarray:
    """The rows of ``voxels`` from a piece of the table that begins at row ``first``: (voxels, trials) float64."""
    place = voxels["place"].to_numpy() - first
    columns = [name for name in piece.columns if name != "voxel_id"]
    if sorted(map(int, columns)) != list(range(n_trials)):
        raise ValueError(f"{path}: expected trials 0 to {n_trials - 1}, as in the stimulus table, got {len(columns)}")
    if (piece["voxel_id"].to_numpy()[place] != voxels["voxel_id"].to_numpy()).any():
        raise ValueError(f"{path}: expected the voxels of the voxel table, in its order, got others after row {first}")
    values = np.empty((len(place), n_trials))
    values[:, [int(name) for name in columns]] = piece[columns].to_numpy()[place]
    return values


@contextmanager
def _opened(path: Path) -> Iterator[Callable]:
    """Open a file with one table; yields a function (first row, last row) -> piece of the table."""
    import pandas as pd

    try:
        from tables import HDF5ExtError
    except ImportError as error:
        raise ImportError("THINGS-fMRI needs PyTables: pip install 'brainscore_granularity[prepare]'") from error
    with files.named(path):
        try:
            with pd.HDFStore(path, "r") as file:
                keys = file.keys()
                if len(keys) != 1:
                    raise ValueError(f"{path}: expected one table, got {', '.join(keys) or 'none'}")
                yield lambda first, last: file.select(keys[0], start=first, stop=last)
        except HDF5ExtError as error:  # its text is a long traceback
            raise OSError("HDF5 error") from error


def _plain(name: str) -> str:
    return name.replace("\n", "")
