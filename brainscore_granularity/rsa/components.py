"""Principal components: of features in memory, or from inner products alone, and what is rebuilt from some of them.

Features that do not fit in memory are read in blocks by the rule that makes class labels
(``training.labels.rule.fit_pca``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .degenerate import DegenerateFeatures

RANK = 1e-7  # eigenvalues below this share of the largest are rounding errors of single precision


class Principal(NamedTuple):
    """Principal components of features in memory: scores (n, k), variances (k,), mean (p,), directions (k, p)."""

    scores: np.ndarray
    variances: np.ndarray
    mean: np.ndarray
    directions: np.ndarray

    def rebuilt(self, rows, keep) -> np.ndarray:
        """Features (rows, p) rebuilt from the components ``keep`` only."""
        return self.mean + self.scores[np.ix_(rows, keep)] @ self.directions[keep]


def principal_components(x, fit) -> Principal:
    """Components of features (n, p), fitted on the images ``fit`` only, up to their rank; signs are arbitrary."""
    mean = x[fit].mean(axis=0)
    _, s, vt = np.linalg.svd(x[fit] - mean, full_matrices=False)
    good = s > s[0] * 1e-6 if s[0] > 0 else np.zeros(len(s), bool)
    good[len(fit) - 1 :] = False
    return Principal((x - mean) @ vt[good].T, s[good] ** 2 / (len(fit) - 1), mean, vt[good])


@dataclass(frozen=True)
class Products:
    """Inner products of the features x_i (n images, ``width`` features) around their mean m.

    gram : (n, n), (x_i - m) . (x_j - m)
    onto_mean : (n,), (x_i - m) . m
    sums : (n,), sum of the features of x_i
    mean_square : m . m
    """

    gram: np.ndarray
    onto_mean: np.ndarray
    sums: np.ndarray
    mean_square: float
    width: int

    @classmethod
    def of(cls, features) -> Products:
        """From features (n, ...)."""
        x = np.asarray(features, np.float64).reshape(len(features), -1)
        mean = x.mean(axis=0)
        centred = x - mean
        return cls(centred @ centred.T, centred @ mean, x.sum(axis=1), float(mean @ mean), x.shape[1])

    def inner(self, rows=slice(None), others=slice(None)) -> np.ndarray:
        """Inner products x_i . x_j of some images, not centred."""
        a = self.onto_mean
        return np.asarray(self.gram[rows][:, others], np.float64) + a[rows][:, None] + a[others] + self.mean_square

    def rdm(self, rows=slice(None), name: str = "") -> np.ndarray:
        """1 - Pearson correlation over features."""
        return correlation_distance(self.inner(rows, rows), self.sums[rows], self.width, name)


@dataclass(frozen=True)
class Components:
    """Principal components of the images ``rows`` of some `Products`.

    values : (k,) variances, largest first.
    weights : (rows, k); the component's direction is the sum of centred images times these.
    onto_mean, sums : (k,) inner product of each direction with the mean, and with a vector of ones.
    """

    rows: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    onto_mean: np.ndarray
    sums: np.ndarray
    mean_square: float
    mean_sum: float

    def scores(self, products: Products, rows) -> np.ndarray:
        """Scores (rows, k) of any images of the same products."""
        cross = products.inner(rows, self.rows)
        own = products.inner(self.rows, self.rows)
        centred = cross - cross.mean(axis=1, keepdims=True) - own.mean(axis=0) + own.mean()
        return centred @ self.weights

    def reconstructed_rdm(self, scores: np.ndarray, keep, width: int, name: str = "") -> np.ndarray:
        """Correlation distance of images rebuilt from some components and the mean.

        .. math:: \\hat x_i = m + \\sum_{j \\in keep} z_{ij} v_j

        Parameters
        ----------
        scores : (images, k)
        keep : number of leading components, or an index array.
        width : number of features.
        """
        keep = np.arange(min(int(keep), len(self.values))) if np.ndim(keep) == 0 else np.asarray(keep)
        z = scores[:, keep]
        shift = z @ self.onto_mean[keep]
        inner = z @ z.T + shift[:, None] + shift + self.mean_square
        return correlation_distance(inner, z @ self.sums[keep] + self.mean_sum, width, name)


def components(products: Products, rows=None, at_most: int | None = None) -> Components:
    """Principal components of images, from the eigenvectors of their centred inner products.

    The sign is fixed: the image farthest out lies on the positive side.
    """
    rows = np.arange(len(products.gram)) if rows is None else np.asarray(rows)
    if len(rows) < 3:
        raise ValueError(f"principal components need at least 3 images, got {len(rows)}")
    inner = products.inner(rows, rows)
    means = inner.mean(axis=0)
    values, vectors = eigh(inner - means[:, None] - means + means.mean())
    values, vectors = values[::-1], vectors[:, ::-1]
    good = values > max(values[0], 0) * RANK
    good[min(len(rows) - 1, products.width) :] = False  # centred images have one dimension less
    k = min(int(good.sum()), at_most or len(rows))
    if not k:
        raise DegenerateFeatures("all images have the same features: there are no principal components")
    values, vectors = values[:k], vectors[:, :k]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(k)])
    weights = vectors / np.sqrt(values)
    sums = products.sums[rows]
    return Components(
        rows,
        values / (len(rows) - 1),
        weights - weights.mean(axis=0),
        weights.T @ (means - means.mean()),
        weights.T @ (sums - sums.mean()),
        float(means.mean()),
        float(sums.mean()),
    )


def eigh(matrix):
    """Eigenvalues, ascending, and vectors of a symmetric matrix.

    By torch, whose LAPACK is about twice as fast as numpy's where it comes with MKL.
    """
    import torch

    values, vectors = torch.linalg.eigh(torch.from_numpy(matrix))
    return values.numpy(), vectors.numpy()


def correlation_distance(inner: np.ndarray, sums: np.ndarray, width: int, name: str = "") -> np.ndarray:
    """1 - Pearson correlation from inner products (n, n) and sums (n,) over ``width`` features."""
    centred = inner - np.outer(sums, sums) / width
    power = np.diag(centred).copy()
    scale = np.diag(inner).max()
    if (dead := power <= 1e-12 * scale).any():
        raise DegenerateFeatures(f"{dead.sum()} of {len(dead)} images have constant features{name and f' in {name}'}")
    norm = np.sqrt(power)
    out = 1 - np.clip(centred / norm[:, None] / norm, -1, 1)
    out = (out + out.T) / 2
    np.fill_diagonal(out, 0)
    return out
