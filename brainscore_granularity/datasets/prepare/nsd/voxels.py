"""The voxels of a subject's regions, which may overlap, and their coordinates in an assembly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Voxels:
    """All voxels of some regions of one subject, each once."""

    subject: str
    shape: tuple[int, int, int]
    """Volume (X, Y, Z)."""
    indices: np.ndarray
    """(n, 3) rows (i, j, k), sorted."""
    columns: dict[str, np.ndarray]
    """Region -> rows of ``indices``; only regions that have voxels."""

    def coordinates(self, region: str) -> dict[str, np.ndarray]:
        """Neuroid coordinates as in Brain-Score; voxel_x, voxel_y, voxel_z are i, j, k of the owner's NIfTI files."""
        own = self.indices[self.columns[region]]
        return {
            "neuroid_id": np.array([f"{self.subject}_{region}_v{n:04d}" for n in range(len(own))]),
            "subject": np.full(len(own), self.subject),
            "region": np.full(len(own), region),
            **{f"voxel_{axis}": own[:, n] for n, axis in enumerate("xyz")},
        }


def of_masks(subject: str, masks: dict[str, np.ndarray]) -> Voxels:
    """Voxels of the masks (X, Y, Z) of one subject's regions."""
    shapes = {mask.shape for mask in masks.values()}
    if len(shapes) > 1:
        raise ValueError(f"{subject}: expected masks of one shape, got {', '.join(map(str, sorted(shapes)))}")
    (shape,) = shapes
    union = np.logical_or.reduce(list(masks.values()))
    row = np.full(shape, -1)
    row[union] = np.arange(union.sum())  # in the order of argwhere
    columns = {region: row[mask] for region, mask in masks.items() if mask.any()}
    return Voxels(subject, shape, np.argwhere(union), columns)


def joint(subjects: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The coordinates of several subjects, concatenated."""
    return {name: np.concatenate([coordinates[name] for coordinates in subjects]) for name in subjects[0]}
