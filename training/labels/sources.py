"""Labels for a set of images from any source: a network's features, WordNet, or at random."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from . import merged
from . import rule as rules
from .encoders import PRETRAINED, own, pixels, pretrained, untrained
from .features import Encoder, Spool
from .wordnet import even_groups, read_is_a, wordnet_labels

FEATURE_SOURCES = (*PRETRAINED, "own", "minor", "pixels", "untrainedpcs")
SOURCES = (*FEATURE_SOURCES, "distilled", "merged", "wordnet", "random", "permuted")
# Sources that use the features of another source, and the first principal component that each uses.
FEATURES_OF = {"minor": "lite0", "distilled": "lite0"}
FIRST = {"minor": 6}


@dataclass(frozen=True)
class FeatureLabels:
    """Nested labels along the principal components of a feature space, with the components and cuts."""

    by_k: dict[int, np.ndarray] = field(repr=False)
    """Number of classes -> labels (images,)."""
    scores: np.ndarray = field(repr=False)
    """(images, components)."""
    medians: np.ndarray = field(repr=False)
    """(components,): where each component is cut, also for held-out images."""
    pca: rules.PCA = field(repr=False)


def encoder(
    source: str,
    *,
    weights: Path | None = None,
    checkpoint: str | None = None,
    store: Path | None = None,
    network: str | None = None,
    seed: int | None = None,
    images: np.ndarray | None = None,
) -> Encoder:
    """The network of a feature source.

    ``own`` needs the id of a checkpoint; ``untrainedpcs`` an architecture, its seed and images (n, size, size, 3)
    for batch norm's statistics; ``pixels`` needs nothing; the other sources accept a file of weights.
    """
    source = FEATURES_OF.get(source, source)
    if source not in FEATURE_SOURCES:
        raise ValueError(f"{source!r} has no features; sources with features: {', '.join(FEATURE_SOURCES)}")
    if source == "own":
        if checkpoint is None:
            raise ValueError("labels from a network of our own need the id of its checkpoint (--checkpoint ID)")
        if weights is not None:
            raise ValueError("labels from a network of our own take a checkpoint id, not a weights file")
        return own(checkpoint, store)
    if source == "pixels":
        return pixels()
    if source == "untrainedpcs":
        return untrained(network, seed, images)
    if checkpoint is not None or store is not None:
        raise ValueError(f"{source} takes a weights file, not a checkpoint; the source `own` takes a checkpoint")
    return pretrained(source, weights)


def from_features(spool: Spool, ladder: Iterable[int] = rules.LADDER, first: int = 0) -> FeatureLabels:
    """Nested labels from features on disk, in three passes: two for the exact PCA, one for the scores.

    first : number of leading components to skip.
    """
    ladder = tuple(ladder)
    components = max(rules.power_of_two(k) for k in ladder)
    pca = rules.fit_pca(spool.blocks, first + components)
    pca = replace(pca, components=pca.components[:, first:])
    scores = np.concatenate([pca.scores(block) for block in spool.blocks()])
    medians = np.median(scores, axis=0)
    return FeatureLabels(rules.nested_labels(scores, ladder, medians), scores, medians, pca)


def apply(fitted: FeatureLabels, spool: Spool) -> dict[int, np.ndarray]:
    """Labels of other images, such as a validation set, by the same components and cuts."""
    scores = np.concatenate([fitted.pca.scores(block) for block in spool.blocks()])
    return rules.nested_labels(scores, fitted.by_k, fitted.medians)


def from_wordnet(names: Sequence[str], is_a: Path, depth: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels of images named ``<wnid>/<file>``, and the WordNet ids of the classes."""
    return wordnet_labels([name.split("/")[0] for name in names], read_is_a(is_a), depth)


def class_groups(
    source: str, names: Sequence[str], ladder: Iterable[int], *, seed: int | None = None, is_a: Path | None = None
) -> dict[int, dict[str, int]]:
    """Groups {K: {class: group}} of the classes of images ``<class>/<file>``, merged at random or along WordNet."""
    classes = sorted({name.split("/")[0] for name in names})
    if source == "merged":
        return {k: merged.merge(classes, k, seed) for k in ladder}
    parents = read_is_a(is_a)
    return {k: even_groups(classes, parents, k) for k in ladder}


def at_random(n_images: int, ladder: Iterable[int], seed: int) -> dict[int, np.ndarray]:
    """Balanced random labels without any relation to the images; the same random order for every K."""
    return {k: rules.random_balanced(n_images, k, seed) for k in ladder}


def permuted(by_k: dict[int, np.ndarray], seed: int) -> dict[int, np.ndarray]:
    """Given labels, permuted over images; one permutation for every K, so that labels stay nested."""
    return {k: rules.permuted(labels, seed) for k, labels in by_k.items()}


def pc_extremes(scores: np.ndarray, names: Sequence[str], count: int) -> list[tuple[list[str], list[str]]]:
    """The images at both ends of every component.

    Parameters
    ----------
    scores : (images, components).
    names : names of the images, in the same order.
    count : number of images at each end.

    Returns
    -------
    For every component the names with the lowest scores, lowest first, and with the highest, highest first.

    >>> pc_extremes(np.array([[3.0], [1], [2]]), ["a", "b", "c"], count=1)
    [(['b'], ['a'])]
    """
    scores = np.asarray(scores)
    if scores.ndim != 2 or len(scores) != len(names):
        raise ValueError(f"expected scores (images, components) of {len(names)} images, got {scores.shape}")
    if not 1 <= count <= len(names) // 2:
        raise ValueError(f"count must lie between 1 and half of {len(names)} images, got {count}")
    ends = []
    for column in scores.T:
        order = np.argsort(column, kind="stable")
        ends.append(([names[i] for i in order[:count]], [names[i] for i in order[::-1][:count]]))
    return ends
