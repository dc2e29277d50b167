"""Class labels at every granularity, from features or from a taxonomy.

The label rule cuts the images along the principal components of a feature space: bit j of an image's label is
whether its score on component j lies strictly above the median, and the label at K = 2^n classes is the number
with bits 1..n, the first component most significant (Mehta & Bonner 2026, arXiv 2605.05556). The labels of
different K are therefore nested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

LADDER = (2, 4, 8, 16, 32, 64)


@dataclass(frozen=True)
class PCA:
    """Exact principal components, largest variance first, signs fixed."""

    mean: np.ndarray  # (features,) float64
    components: np.ndarray  # (features, components) float64, orthonormal columns
    variances: np.ndarray  # (features,) float64: all eigenvalues, in descending order

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Scores (images, components) of features (images, features)."""
        return (np.asarray(features, np.float64) - self.mean) @ self.components


def fit_pca(blocks: Callable[[], Iterable[np.ndarray]], n_components: int = 6) -> PCA:
    """Exact PCA of a matrix that is read in blocks of rows and never held whole.

    Parameters
    ----------
    blocks : a function that starts a fresh pass over the blocks, each (rows, features). Two passes are made:
        one for the mean and one for the covariance about it, both in float64, because subtracting the mean
        afterwards would lose the small components of features with a large offset.
    n_components : components kept; all eigenvalues are.

    The sign of an eigenvector is arbitrary and differs between LAPACK builds. Here its entry of largest
    magnitude is positive, so that labels do not flip from machine to machine.
    """
    rows, total = 0, 0.0
    for block in blocks():
        total = total + np.asarray(block, np.float64).sum(axis=0)
        rows += len(block)
    if rows < 2:
        raise ValueError(f"PCA needs at least 2 images, got {rows}")
    mean = total / rows
    covariance = 0.0
    for block in blocks():
        centred = np.asarray(block, np.float64) - mean
        covariance = covariance + centred.T @ centred
    if not np.isfinite(covariance).all():
        raise ValueError("the features hold NaN or infinity; check the network that made them")
    if n_components > len(mean):
        raise ValueError(f"{n_components} components cannot be computed from {len(mean)} features")
    variances, vectors = np.linalg.eigh(covariance / (rows - 1))
    components = vectors[:, ::-1][:, :n_components]
    largest = np.abs(components).argmax(axis=0)
    components = components * np.sign(components[largest, np.arange(n_components)])
    return PCA(mean, components, variances[::-1])


def nested_labels(
    scores: np.ndarray, ladder: Iterable[int] = LADDER, medians: np.ndarray | None = None
) -> dict[int, np.ndarray]:
    """Principal-component scores (images, components) -> {K: labels (images,)}, nested over K.

    medians : where to cut each component; by default the medians of these scores. Held-out images are cut where
        the training images were.

    >>> scores = np.array([[-1.0, 5], [-2, 3], [1, 4], [2, 9]])
    >>> {k: label.tolist() for k, label in nested_labels(scores, [2, 4]).items()}
    {2: [0, 0, 1, 1], 4: [1, 0, 2, 3]}
    """
    scores = np.asarray(scores)
    bits = scores > (np.median(scores, axis=0) if medians is None else medians)
    labels = {}
    for k in ladder:
        n_bits = power_of_two(k)
        if n_bits > scores.shape[1]:
            raise ValueError(f"{k} classes need {n_bits} components, got {scores.shape[1]}")
        weights = 2 ** np.arange(n_bits)[::-1]
        labels[k] = bits[:, :n_bits] @ weights
    return labels


def random_balanced(n_images: int, k: int, seed: int) -> np.ndarray:
    """Random labels with no relation to the images; class sizes are equal to within one."""
    return np.random.default_rng(seed).permutation(np.arange(n_images) % k)


def permuted(labels: np.ndarray, seed: int) -> np.ndarray:
    """The same labels, permuted over images: class sizes are kept, the relation to the images is lost."""
    return np.random.default_rng(seed).permutation(labels)


def power_of_two(k: int) -> int:
    """log2 of a number of classes; anything but a power of two is an error."""
    if k < 2 or k & (k - 1):
        raise ValueError(f"the number of classes must be a power of two (2, 4, 8, ...), got {k}")
    return k.bit_length() - 1


def unit_length(features: np.ndarray) -> np.ndarray:
    """Features (images, features) with rows of Euclidean length 1."""
    features = np.asarray(features, np.float64)
    length = np.linalg.norm(features, axis=1, keepdims=True)
    if (dead := np.flatnonzero(length[:, 0] == 0)).size:
        raise ValueError(f"{dead.size} images have all-zero features (first: image {dead[0]})")
    return features / length
