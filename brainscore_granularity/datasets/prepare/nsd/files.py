"""The folder layout of the Natural Scenes Dataset, and how to read its small files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..files import named, open_nifti

BETAS = "betas_fithrf_GLMdenoise_RR"
SUFFIXES = (".hdf5", ".nii.gz")  # in order of preference: from HDF5 only the chosen voxels are read
SESSIONS = (40, 40, 32, 30, 40, 32, 40, 30)
# region -> map of regions of interest, its labels. Not every subject has every label.
REGIONS = {
    "V1": ("prf-visualrois", (1, 2)),
    "V2": ("prf-visualrois", (3, 4)),
    "V3": ("prf-visualrois", (5, 6)),
    "V4": ("prf-visualrois", (7,)),
    "early": ("streams", (1,)),
    "ventral": ("streams", (5,)),
    "FFA": ("floc-faces", (2, 3)),  # FFA-1 and FFA-2
    "PPA": ("floc-places", (2,)),
    "IT": ("streams", (5,)),  # Brain-Score's IT is the ventral stream
}


@dataclass(frozen=True)
class Subject:
    """One subject's files under the folder that holds ``nsddata``, ``nsddata_betas`` and ``nsddata_stimuli``."""

    source: Path
    number: int

    @property
    def name(self) -> str:
        return f"subj{self.number:02d}"

    @property
    def betas(self) -> Path:
        return self.source / "nsddata_betas" / "ppdata" / self.name / "func1pt8mm"

    @property
    def ncsnr(self) -> Path:
        return self.betas / BETAS / "ncsnr.nii.gz"

    def session(self, session: int) -> tuple[Path, ...]:
        """The files that may hold a session (1, 2, ...), best first."""
        return tuple(self.betas / BETAS / f"betas_session{session:02d}{suffix}" for suffix in SUFFIXES)

    def sessions(self) -> dict[int, Path]:
        """{session: its file} of the sessions on disk."""
        found = {session: existing(self.session(session)) for session in range(1, SESSIONS[self.number - 1] + 1)}
        return {session: path for session, path in found.items() if path}

    def roi_path(self, atlas: str) -> Path:
        """Path of the map of both hemispheres."""
        return self.source / "nsddata" / "ppdata" / self.name / "func1pt8mm" / "roi" / f"{atlas}.nii.gz"

    def roi_files(self, atlas: str) -> list[Path]:
        """The file of both hemispheres, or the two files of one hemisphere each; empty if neither exists."""
        both = self.roi_path(atlas)
        halves = [both.with_name(f"{side}.{both.name}") for side in ("lh", "rh")]
        return next((paths for paths in ([both], halves) if all(path.exists() for path in paths)), [])

    def roi(self, region: str) -> np.ndarray | None:
        """Mask (X, Y, Z) of a region, which may have no voxels; None if the subject's map is missing."""
        atlas, labels = REGIONS[region]
        maps = [volume(path) for path in self.roi_files(atlas)]
        return np.logical_or.reduce([np.isin(labelled, labels) for labelled in maps]) if maps else None


def existing(alternatives: tuple[Path, ...]) -> Path | None:
    return next((path for path in alternatives if path.exists()), None)


def volume(path: Path) -> np.ndarray:
    """The array (X, Y, Z) of a NIfTI file."""
    with named(path):
        array = np.asarray(open_nifti(path).dataobj)
    if array.ndim != 3:
        raise ValueError(f"{path}: expected a volume (X, Y, Z), got shape {array.shape}")
    return array


def matlab(path: Path, *names: str) -> list[np.ndarray]:
    """Variables of a MATLAB file."""
    from scipy.io import loadmat

    with named(path):
        content = loadmat(path)
        return [content[name] for name in names]
