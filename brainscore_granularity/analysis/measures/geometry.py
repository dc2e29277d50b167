"""How far apart are two geometries? RSA and CKA of layers, a map of all RDMs, the order of images for display."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from brainscore_granularity import rsa, stats
from brainscore_granularity.rsa.comparison import ranked

FRACTION = 0.9  # share of images in a subsample, without replacement: a repeated image would be its own neighbour


class Similarity(NamedTuple):
    """A value and its 95% interval over images."""

    value: float
    low: float
    high: float


def rsa_with(rdms, reference, resamples: int = 1000, seed: int = 0) -> list[Similarity]:
    """Spearman correlation of RDMs with one reference.

    The interval resamples images with replacement, without pairs of an image with itself. Ranks are those of all
    images, so that a resample is a matrix product.

    Parameters
    ----------
    rdms : (m, n, n)
    reference : (n, n)
    """
    ranks, own = np.stack([_ranked(rdm) for rdm in rdms]), _ranked(reference)
    samples = stats.bootstrap(ranks, own, n=resamples, fraction=None, seed=seed, method="pearson")[:, :, 0]
    return [Similarity(rsa.compare(rank, own, "pearson"), *stats.interval(drawn))
            for rank, drawn in zip(ranks, samples.T, strict=True)]  # fmt: skip


def cka_with(grams, reference, resamples: int = 1000, seed: int = 0) -> list[Similarity]:
    """Debiased linear CKA of Gram matrices (m, n, n) with one reference (n, n); interval from 90% subsamples."""
    counts = stats.resamples(len(reference), resamples, FRACTION, seed)
    found = []
    for gram in grams:
        value = float(cka(gram, reference)[0])
        samples = cka(gram, reference, counts)
        ends = stats.interval(samples, method="subsample", estimate=value, fraction=FRACTION)
        found.append(Similarity(value, *ends))
    return found


def cka(a, b, kept=None) -> np.ndarray:
    """Centred kernel alignment with unbiased HSIC, on all images or on subsamples of them.

    .. math:: CKA = HSIC(A, B) / \\sqrt{HSIC(A, A) HSIC(B, B)}

    The biased estimate approaches 1 for any two layers with more features than images; this one is about 0 for
    unrelated layers (Kornblith et al. 2019; Song et al. 2012).

    Parameters
    ----------
    a, b : (n, n) inner products between images; centring does not matter.
    kept : (resamples, n) of 0 and 1, the images in each subsample; by default one row with all images.

    Returns
    -------
    (resamples,)
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape or a.ndim != 2 or a.shape[0] != a.shape[1] or len(a) < 5:
        raise ValueError(f"expected two (n, n) of the same 5 images or more, got {a.shape} and {b.shape}")
    kept = np.ones((1, len(a))) if kept is None else np.asarray(kept, np.float64)
    a, b = _without_diagonal(a), _without_diagonal(b)
    return hsic(a, b, kept) / np.sqrt(hsic(a, a, kept) * hsic(b, b, kept))


def hsic(a, b, kept) -> np.ndarray:
    """Unbiased HSIC (resamples,) of matrices whose diagonal is 0; kept (resamples, n) of 0 and 1."""
    n = kept.sum(axis=1)
    rows_a, rows_b = kept @ a, kept @ b
    together = ((kept @ (a * b)) * kept).sum(axis=1)
    total_a, total_b = (rows_a * kept).sum(axis=1), (rows_b * kept).sum(axis=1)
    by_row = (rows_a * rows_b * kept).sum(axis=1)
    return (together + total_a * total_b / ((n - 1) * (n - 2)) - 2 * by_row / (n - 2)) / (n * (n - 3))


def similarities(rdms) -> np.ndarray:
    """Spearman correlations (m, m) between RDMs (m, n, n)."""
    ranks = np.stack([rsa.standardised_ranks(rdm, f"RDM {i}") for i, rdm in enumerate(rdms)])
    return np.clip(ranks @ ranks.T, -1, 1)


class Map(NamedTuple):
    """Points in a plane, and the error of their distances (Kruskal's stress-1, 0 is perfect)."""

    points: np.ndarray
    stress: float


def embed(distances) -> Map:
    """Metric multidimensional scaling into a plane, started from the classical solution.

    Distances are neither scaled nor transformed; the stress is the error of the plane. The first axis is the longer
    one, and the most distant point on each axis lies on its positive side.
    """
    from sklearn.manifold import smacof

    distances = np.asarray(distances, np.float64)
    if distances.ndim != 2 or distances.shape[0] != distances.shape[1] or len(distances) < 3:
        raise ValueError(f"expected the distances (m, m) of 3 or more, got {distances.shape}")
    points, _ = smacof(distances, n_components=2, init=_classical(distances), n_init=1, max_iter=1000, eps=1e-9,
                       normalized_stress=False)  # fmt: skip
    points = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(points, full_matrices=False)
    points = points @ axes.T
    points = points * np.sign(points[np.abs(points).argmax(axis=0), [0, 1]])
    upper = np.triu_indices(len(points), 1)
    shown = np.linalg.norm(points[:, None] - points, axis=2)[upper]
    return Map(points, float(np.sqrt(((shown - distances[upper]) ** 2).sum() / (distances[upper] ** 2).sum())))


def percentiles(rdm) -> np.ndarray:
    """Percentile of each dissimilarity, 0 to 1, so that RDMs of any scale share one colour bar."""
    ranks = _ranked(rdm)
    return ranks / ranks.max()


def by_class(classes, scores) -> np.ndarray:
    """Order of images: by class, within a class by score."""
    return np.lexsort((scores, classes))


def _classical(distances):
    """Torgerson's solution (m, 2): leading eigenvectors of the doubly centred squares."""
    squares = distances**2
    means = squares.mean(axis=0)
    values, vectors = np.linalg.eigh(-(squares - means - means[:, None] + means.mean()) / 2)
    return vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 1e-12))


def _ranked(rdm) -> np.ndarray:
    """The RDM with average ranks, from 0, in place of its dissimilarities."""
    return _without_diagonal(ranked(rdm) - 1)


def _without_diagonal(x):
    return x - np.diag(np.diag(x))
