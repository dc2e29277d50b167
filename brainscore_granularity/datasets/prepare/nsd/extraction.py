"""One session after the other: what was read and normalised is kept on disk until the builds are made from it.

The state is one file a session, written in one step and named after everything it depends on, so that a run that was
killed goes on where it was and gives the same files, and a changed input is never mistaken for the old one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import write_atomically

from . import betas

FORMAT = 1  # raised when the normalisation changes


@dataclass(frozen=True, eq=False)
class Session:
    """The wanted part of one session's file: z-scores within the session of some trials and voxels."""

    path: Path
    """The owner's file."""
    stimuli: np.ndarray
    """(trials,) what was shown, in order; -1 for trials that are not used."""
    state: Path

    def extract(self, voxels: np.ndarray, shape: tuple[int, int, int]) -> None:
        """Read and normalise, unless an earlier run has; voxels (n, 3) in a volume ``shape`` (X, Y, Z)."""
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
        """What was shown (wanted trials,) and the responses to it (wanted trials, columns) of some of the voxels."""
        with np.load(self._file(voxels)) as content:
            return self.stimuli[self._wanted()], content["responses"][:, columns]

    def read_sha256(self, voxels: np.ndarray) -> str:
        """Checksum of the stored values that were read, all trials of the voxels."""
        with np.load(self._file(voxels)) as content:
            return str(content["sha256"])

    def stamp(self) -> str:
        """Changes when the file or the wanted trials do; cheap, because files are large."""
        status = self.path.stat()
        facts = (FORMAT, self.path.name, status.st_size, status.st_mtime_ns)
        return hashlib.sha256(repr(facts).encode() + self.stimuli.astype(np.int64).tobytes()).hexdigest()

    def _wanted(self) -> np.ndarray:
        return np.flatnonzero(self.stimuli >= 0)

    def _file(self, voxels: np.ndarray) -> Path:
        key = hashlib.sha256(self.stamp().encode() + np.ascontiguousarray(voxels, np.int64).tobytes()).hexdigest()
        return self.state / f"{self.path.name}-{key[:16]}.npz"
