"""Extraction, one session at a time: normalised responses are kept on disk until the builds are made from them.

The state is one file per session, written in one step. Its name contains a hash of everything it depends on, so that a
killed run resumes and gives the same files, and old state is never used after an input has changed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import write_atomically

from . import betas

FORMAT = 1  # increased when the normalisation changes


@dataclass(frozen=True, eq=False)
class Session:
    """The wanted part of one session's file: z-scores within the session of some trials and voxels."""

    path: Path
    """The owner's file."""
    stimuli: np.ndarray
    """(trials,) image shown in each trial, in order; -1 for trials that are not used."""
    state: Path

    def extract(self, voxels: np.ndarray, shape: tuple[int, int, int]) -> None:
        """Read and normalise, unless an earlier run did; voxels (n, 3) in a volume ``shape`` (X, Y, Z)."""
        if not self._file(voxels).exists():
            values = betas.read(self.path, voxels, shape, len(self.stimuli))
            content = BytesIO()
            np.savez(
                content,
                responses=betas.standardise(values, self._wanted()),
                sha256=hashlib.sha256(np.ascontiguousarray(values)).hexdigest(),
            )
            write_atomically(self._file(voxels), content.getvalue())

    def trials(self, voxels: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The images shown (wanted trials,) and the responses (wanted trials, columns) of some of the voxels."""
        with np.load(self._file(voxels)) as content:
            return self.stimuli[self._wanted()], content["responses"][:, columns]

    def read_sha256(self, voxels: np.ndarray) -> str:
        """SHA-256 of the stored values that were read, for all trials of the voxels."""
        with np.load(self._file(voxels)) as content:
            return str(content["sha256"])

    def stamp(self) -> str:
        """A text that changes with the file or the wanted trials; it does not hash the file, which is large."""
        status = self.path.stat()
        facts = (FORMAT, self.path.name, status.st_size, status.st_mtime_ns)
        return hashlib.sha256(repr(facts).encode() + self.stimuli.astype(np.int64).tobytes()).hexdigest()

    def _wanted(self) -> np.ndarray:
        return np.flatnonzero(self.stimuli >= 0)

    def _file(self, voxels: np.ndarray) -> Path:
        key = hashlib.sha256(self.stamp().encode() + np.ascontiguousarray(voxels, np.int64).tobytes()).hexdigest()
        return self.state / f"{self.path.name}-{key[:16]}.npz"
