"""Classes merged along the WordNet taxonomy: labels that follow meaning instead of a network's features.

The taxonomy is a text file of lines ``parent child`` of WordNet ids, such as ImageNet's ``wordnet.is_a.txt``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np


def read_is_a(path: Path) -> dict[str, tuple[str, ...]]:
    """Child -> its parents, sorted."""
    parents: dict[str, set[str]] = {}
    for number, line in enumerate(Path(path).read_text().splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2:
            raise ValueError(f"{path}, line {number}: expected two WordNet ids `parent child`, got {line!r}")
        parents.setdefault(words[1], set()).add(words[0])
    if not parents:
        raise ValueError(f"{path} has no line `parent child`")
    return {child: tuple(sorted(found)) for child, found in parents.items()}


def ancestry(wnid: str, parents: Mapping[str, Sequence[str]]) -> list[str]:
    """The shortest way from a root (an id without parents) down to ``wnid``, both included.

    Some ids have several parents. Of several shortest ways the one whose ids come first in the alphabet, read
    upwards, is taken, so that the answer does not depend on the order of the file.
    """
    ways, seen = [[wnid]], {wnid}
    while ways:
        if roots := [way for way in ways if way[-1] not in parents]:
            return min(roots)[::-1]
        longer = {}
        for way in sorted(ways):
            for parent in parents[way[-1]]:
                if parent not in seen:
                    longer.setdefault(parent, [*way, parent])
        seen.update(longer)
        ways = list(longer.values())
    raise ValueError(f"the taxonomy runs in a circle above {wnid}")


def merged_classes(wnids: Iterable[str], parents: Mapping[str, Sequence[str]], depth: int) -> dict[str, str]:
    """Each class -> its ancestor ``depth`` steps below the root; a class that lies higher stays itself."""
    wnids = sorted(set(wnids))
    if depth < 0:
        raise ValueError(f"the depth below the root must be 0 or more, got {depth}")
    known = set(parents) | {parent for found in parents.values() for parent in found}
    if unknown := [wnid for wnid in wnids if wnid not in known]:
        raise ValueError(
            f"{len(unknown)} of {len(wnids)} classes are not in the taxonomy (first: {', '.join(unknown[:3])}); "
            "expected WordNet ids such as n02084071"
        )
    merged = {}
    for wnid in wnids:
        way = ancestry(wnid, parents)
        merged[wnid] = way[min(depth, len(way) - 1)]
    return merged


def wordnet_labels(
    wnids: Sequence[str], parents: Mapping[str, Sequence[str]], depth: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels of images from their classes' WordNet ids.

    Parameters
    ----------
    wnids : (images,) the class of every image.

    Returns
    -------
    labels : (images,) index of the merged class.
    names : WordNet ids of the merged classes, sorted.
    """
    merged = merged_classes(wnids, parents, depth)
    names = tuple(sorted(set(merged.values())))
    if len(names) < 2:
        raise ValueError(f"at depth {depth} all classes are one ({', '.join(names)}); choose a larger depth")
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[merged[wnid]] for wnid in wnids]), names
