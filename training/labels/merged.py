"""Native classes merged at random into fewer: labels that can be learned from the images but have no meaning.

This control adds to that of random labels: a network can learn merged classes as well as the native ones, and only the
choice of which classes are merged is arbitrary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def merge(classes: Sequence[str], k: int, seed: int) -> dict[str, int]:
    """Map each class to a group 0..k-1; groups hold equal numbers of classes, to within one.

    One random order per seed serves every k, so that groups are nested if one k divides the other.

    >>> sorted(merge(["a", "b", "c", "d", "e"], 2, seed=0).values())
    [0, 0, 0, 1, 1]
    """
    classes = sorted(set(classes))
    if not 2 <= k <= len(classes):
        raise ValueError(f"{len(classes)} classes can be merged into 2 to {len(classes)} groups, got {k}")
    place = np.random.default_rng(seed).permutation(len(classes))
    return {name: int(i) * k // len(classes) for name, i in zip(classes, place, strict=True)}


def labels(names: Sequence[str], groups: dict[str, int]) -> np.ndarray:
    """Labels of images named ``<class>/<file>`` by the group of their class, (images,) int64."""
    classes = [name.split("/")[0] for name in names]
    if unknown := sorted(set(classes) - set(groups)):
        raise ValueError(
            f"{len(unknown)} classes have no group (first: {', '.join(unknown[:3])}); groups were made for "
            f"{len(groups)} classes such as {', '.join(sorted(groups)[:3])}"
        )
    return np.array([groups[name] for name in classes], np.int64)
