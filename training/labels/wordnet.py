"""Classes merged along the WordNet taxonomy: labels that follow meaning instead of a network's features.

The taxonomy is a text file of lines ``parent child`` of WordNet ids, such as ImageNet's ``wordnet.is_a.txt``, or the
nouns of WordNet 3.0 themselves, ``data.noun`` (on Debian in the package wordnet-base, below /usr/share/wordnet).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np


def read_is_a(path: Path) -> dict[str, tuple[str, ...]]:
    """Child -> its parents, sorted."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    if lines and lines[0].startswith("  1 "):  # the licence: numbered lines at the start of each WordNet file
        return _read_nouns(lines)
    parents: dict[str, set[str]] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2:
            raise ValueError(f"{path}, line {number}: expected two WordNet ids `parent child`, got {line!r}")
        parents.setdefault(words[1], set()).add(words[0])
    if not parents:
        raise ValueError(f"{path} has no line `parent child`")
    return {child: tuple(sorted(found)) for child, found in parents.items()}


def _read_nouns(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Child -> its parents, sorted, from WordNet's ``data.noun`` (see wndb(5WN) for its columns).

    ImageNet's ids are the offsets of this file in WordNet 3.0 with an n before them.
    """
    parents: dict[str, set[str]] = {}
    for number, line in enumerate(lines, start=1):
        if line.startswith(" ") or not line.strip():
            continue  # the licence
        words = line.split(" | ", 1)[0].split()
        try:
            start = 4 + 2 * int(words[3], 16)  # after the words of the synset
            pointers = [words[start + 1 + 4 * i :][:4] for i in range(int(words[start]))]
            up = {"n" + offset for symbol, offset, kind, _ in pointers if symbol in ("@", "@i") and kind == "n"}
        except (IndexError, ValueError) as error:
            raise ValueError(f"line {number} of the nouns is not a synset of WordNet: {line[:60]!r}") from error
        if up:
            parents["n" + words[0]] = up
    return {child: tuple(sorted(found)) for child, found in parents.items()}


def ancestry(wnid: str, parents: Mapping[str, Sequence[str]]) -> list[str]:
    """The shortest path from a root (an id without parents) down to ``wnid``, both included.

    Some ids have several parents. If several paths are shortest, the one whose ids, read upwards, come first in the
    alphabet is returned, so that the result does not depend on the order of the file.
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


def even_groups(wnids: Iterable[str], parents: Mapping[str, Sequence[str]], k: int) -> dict[str, int]:
    """Map each class to one of exactly ``k`` groups; a group is a branch less the branches cut from it.

    All classes begin in one group. In each step, the branch that makes the group sizes most even (largest entropy over
    classes; ties: first id in the alphabet) becomes a group of its own, so that groups are nested over k. Labels number
    the groups by the alphabetical order of their topmost ids.
    """
    wnids = sorted(set(wnids))
    merged_classes(wnids, parents, 0)  # an unknown class is an error
    if not 2 <= k <= len(wnids):
        raise ValueError(f"{len(wnids)} classes can be merged into 2 to {len(wnids)} groups, got {k}")
    ways = {wnid: ancestry(wnid, parents) for wnid in wnids}
    below: dict[str, list[str]] = {}  # branch -> its classes
    for wnid, way in ways.items():
        for node in way:
            below.setdefault(node, []).append(wnid)
    top = {wnid: way[0] for wnid, way in ways.items()}  # topmost id of the group that a class is in

    def moved(node):
        """The classes that leave their group with this branch; branches cut off further down keep their groups."""
        return [wnid for wnid in below[node] if ways[wnid].index(top[wnid]) < ways[wnid].index(node)]

    def gain(node):
        from_group = Counter(top[wnid] for wnid in moved(node))
        left = sum(_n_log_n(sizes[g]) - _n_log_n(sizes[g] - n) for g, n in from_group.items())
        return left - _n_log_n(from_group.total())

    while len(sizes := Counter(top.values())) < k:
        best = max(sorted(below), key=lambda node: round(gain(node), 9))
        if gain(best) < 1e-9:
            raise ValueError(f"the taxonomy splits these classes into at most {len(sizes)} groups, got k = {k}")
        for wnid in moved(best):
            top[wnid] = best
    number = {name: i for i, name in enumerate(sorted(sizes))}
    return {wnid: number[top[wnid]] for wnid in wnids}


def _n_log_n(n: int) -> float:
    """n log n. The entropy of group sizes n_g with sum N is log N - sum_g n_g log n_g / N."""
    return n * math.log(n) if n else 0.0


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
