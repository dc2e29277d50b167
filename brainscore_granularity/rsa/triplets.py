"""Odd-one-out choices from a similarity matrix, for all triplets at once.

Of three images, the two most similar belong together and the third is odd. Ties and NaN must never favour a
position: in published data the odd image is always the last, so that a rule which resolves ties to the last
position would score a constant representation as perfect. Here a tie counts 1/2 or 1/3, NaN is an error,
and features that do not tell images apart are refused, as for RDMs.
"""

from __future__ import annotations

import numpy as np

from .degenerate import refuse_alike, refuse_empty, refuse_images
from .gram import Gram

MEASURES = ("dot", "cosine", "centred")
ADVICE = "A choice needs features that vary within an image: leave these images out, or take another layer."


def similarity(features, measure: str = "dot", *, images=None, layer: str | None = None) -> np.ndarray:
    """Similarity of every pair of images.

    Parameters
    ----------
    features : (n, ...), numpy or torch
    measure : {"dot", "cosine", "centred"}
        ``"centred"`` is the cosine after each image's mean over features is subtracted: Pearson
        correlation.
    images : sequence, optional
        Names of the images, for error messages.
    layer : str, optional
        Name of the layer, for error messages.

    Returns
    -------
    (n, n) float64

    Raises
    ------
    DegenerateFeatures
        As correlation RDMs do, whatever the measure: no features, NaN or infinity, an image whose features
        are all equal, or all images alike. Their similarities would be ties or rounding errors.

    Examples
    --------
    >>> similarity([[1, 0], [2, 0], [0, 3]], "cosine").tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if measure not in MEASURES:
        raise ValueError(f"measure: expected one of {', '.join(MEASURES)}, got {measure!r}")
    if hasattr(features, "detach"):
        features = features.detach().cpu().numpy()
    x = np.asarray(features, dtype=np.float64)
    refuse_empty(x.shape, layer)
    x = x.reshape(len(x), -1)
    refuse_images(~np.isfinite(x).all(axis=1), "NaN, infinite or overflowing features", images, layer)
    refuse_images((x == x[:, :1]).all(axis=1), "constant features", images, layer, ADVICE)
    refuse_alike((x != x[0]).any(), len(x), layer)
    if measure == "dot":
        return x @ x.T
    if measure == "centred":
        x = x - x.mean(axis=1, keepdims=True)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    return np.clip(unit @ unit.T, -1, 1)


def from_gram(gram: Gram, measure: str = "dot", *, images=None, layer: str | None = None) -> np.ndarray:
    """`similarity`, from inner products that were summed block by block, centred by rows for "centred".

    >>> gram = Gram(3, None).add(np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]]))
    >>> from_gram(gram, "cosine").tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if gram.centre != ("rows" if measure == "centred" else None):
        raise ValueError(f"measure {measure!r} does not go with inner products of centre {gram.centre!r}")
    refuse_images(gram.broken, "NaN, infinite or overflowing features", images, layer)
    refuse_images(~gram.varies, "constant features", images, layer, ADVICE)
    refuse_alike(gram.apart, len(gram.varies), layer)
    return gram.matrix if measure == "dot" else normalised(gram.matrix)


def normalised(gram) -> np.ndarray:
    """Cosines from inner products (n, n); images whose features are all 0 have similarity 0 to all.

    >>> normalised([[4.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]).tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    gram = np.asarray(gram, dtype=np.float64)
    length = np.sqrt(np.maximum(np.diag(gram), 0))
    inverse = np.where(length > 1e-13 * length.max(initial=0), 1 / np.where(length > 0, length, 1), 0)
    return np.clip(gram * inverse * inverse[:, None], -1, 1)


def choice_probabilities(similarity, triplets) -> np.ndarray:
    """Probability that each position is called the odd one.

    Parameters
    ----------
    similarity : (n, n)
        Symmetric.
    triplets : (t, 3) int
        Rows of ``similarity``.

    Returns
    -------
    (t, 3) float64
        1 for the image outside the most similar pair; 1/2 or 1/3 each where pairs tie.

    Examples
    --------
    >>> s = np.array([[1, 0.9, 0.2], [0.9, 1, 0.2], [0.2, 0.2, 1]])
    >>> choice_probabilities(s, [[0, 1, 2], [2, 0, 1]]).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    >>> choice_probabilities(np.ones((3, 3)), [[0, 1, 2]]).round(3).tolist()
    [[0.333, 0.333, 0.333]]
    """
    pairs = _pairs(similarity, triplets)
    best = pairs == pairs.max(axis=0)
    return (best / best.sum(axis=0)).T


def accuracy(similarity, triplets, odd) -> float:
    """Mean probability of the choice that people made.

    Parameters
    ----------
    similarity : (n, n)
    triplets : (t, 3) int
    odd : int or (t,) int
        Position (0, 1 or 2) of the image that was chosen.

    Returns
    -------
    float
        Chance is 1/3.

    Examples
    --------
    >>> accuracy(np.zeros((4, 4)), [[0, 1, 2], [1, 2, 3]], odd=2)
    0.3333333333333333
    """
    a, b, c = _pairs(similarity, triplets)
    odd = np.broadcast_to(np.asarray(odd), len(a))
    if len(a) == 0 or not np.isin(odd, (0, 1, 2)).all():
        raise ValueError(f"odd: expected positions 0, 1 or 2 of at least one triplet, got {np.unique(odd)[:5]}")
    if (odd == odd[0]).all():  # published data put the odd image in one place
        chosen, one, other = ((a, b, c), (b, a, c), (c, a, b))[int(odd[0])]
    else:
        chosen, one, other = np.choose(odd, (a, b, c)), np.where(odd == 0, b, a), np.where(odd == 2, b, c)
    wins, ties = (chosen > one) & (chosen > other), (chosen == one) | (chosen == other)
    right = np.count_nonzero(wins)
    if ties.any():
        tied = np.stack([chosen[ties], one[ties], other[ties]])
        best = tied == tied.max(axis=0)
        return float((right + (best[0] / best.sum(axis=0)).sum()) / len(a))
    return right / len(a)


def _pairs(similarity, triplets) -> np.ndarray:
    """Similarity of the other two images, for each position: (3, t)."""
    s, t = np.asarray(similarity), np.asarray(triplets)
    if s.ndim != 2 or s.shape[0] != s.shape[1]:
        raise ValueError(f"similarity: expected (n, n), got {s.shape}")
    if t.ndim != 2 or t.shape[1] != 3 or t.dtype.kind not in "iu":
        raise ValueError(f"triplets: expected integers (t, 3), got {t.dtype} {t.shape}")
    if t.size and not (0 <= t.min() and t.max() < len(s)):
        raise ValueError(f"triplets: expected indices from 0 to {len(s) - 1}, got {t.min()} to {t.max()}")
    i, j, k = np.ascontiguousarray(t.T, dtype=np.intp)
    flat, n = np.ascontiguousarray(s).ravel(), len(s)
    pairs = np.stack([flat.take(j * n + k), flat.take(i * n + k), flat.take(i * n + j)])
    if np.isnan(pairs).any():
        raise ValueError(
            f"similarity: {np.count_nonzero(np.isnan(pairs).any(axis=0))} of {len(t)} triplets meet NaN; fix the"
            " features"
        )
    return pairs
