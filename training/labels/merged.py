"""Classes merged by chance into fewer: labels that can be learned, because they follow the images, but mean nothing.

They are the control that random labels of images are not: a network can learn these as well as the classes
themselves, and only the choice of which classes go together is arbitrary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def merge(classes: Sequence[str], k: int, seed: int) -> dict[str, int]:
    """Each class -> its group 0..k-1; groups hold equal numbers of classes, to within one.

    One deal a seed decides for every k, so that groups are nested where one k divides the other.

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
