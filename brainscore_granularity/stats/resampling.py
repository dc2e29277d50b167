"""Scores on resamples of the stimuli."""

from __future__ import annotations

import warnings

import numpy as np

from . import ranking
from .checks import stack

METHODS = ("spearman", "pearson", "cosine")


def resamples(images: int, n: int = 1000, fraction: float | None = 0.9, seed: int = 0) -> np.ndarray:
    """How often each image stands in each resample.

    Parameters
    ----------
    images : int
        Number of images.
    n : int
        Number of resamples.
    fraction : float or None
        Subsamples of ``round(fraction * images)`` images without replacement; None: ``images`` draws with
        replacement.
    seed : int

    Returns
    -------
    (n, images) int32

    Examples
    --------
    >>> resamples(5, 2, fraction=0.6).sum(axis=1).tolist()
    [3, 3]
    """
    rng = np.random.default_rng(seed)
    if fraction is None:
        draws = rng.integers(0, images, size=(n, images))
        return np.stack([np.bincount(d, minlength=images) for d in draws]).astype(np.int32)
    size = round(fraction * images)
    if not 3 <= size <= images:
        raise ValueError(
            f"fraction: expected None (with replacement) or a number in (0, 1] that keeps at least 3 of {images}"
            f" images, got {fraction} (keeps {size})"
        )
    counts = np.zeros((n, images), np.int32)
    for row in counts:
        row[rng.permutation(images)[:size]] = 1
    return counts


def bootstrap(a, b, n: int = 1000, fraction: float | None = 0.9, seed: int = 0, method: str = "spearman") -> np.ndarray:
    """Exact scores on resamples of the stimuli: each equals the score computed afresh on the resampled RDMs.

    Parameters
    ----------
    a, b : (n, n), or (models, n, n) and (subjects, n, n)
        RDMs of the same images.
    n : int
        Number of resamples.
    fraction : float or None
        Share of the stimuli in a subsample without replacement; None draws as many as there are with
        replacement, and pairs of an image with itself are left out.
    seed : int
        Same seed, same resamples: scores of two calls are paired.
    method : {"spearman", "pearson", "cosine"}

    Returns
    -------
    (n,) for two RDMs; (n, models, subjects) where either side is a stack.
        NaN, with a warning, where a resample leaves an RDM constant.

    Notes
    -----
    A 90% subsample is no bootstrap: its scores spread about a third as wide as the score's own error (by
    sqrt((1 - f) / f)), because resamples share most images. :func:`interval` with ``method="subsample"``
    corrects for it; the percentiles of ``fraction=None`` need no correction.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> a = np.corrcoef(rng.normal(size=(20, 30)))
    >>> b = a + 0.1 * np.corrcoef(rng.normal(size=(20, 30)))
    >>> bootstrap(a, b, n=4).shape, bootstrap([a, b], b, n=4, fraction=None).shape
    ((4,), (4, 2, 1))
    """
    single = np.ndim(a) == 2 and np.ndim(b) == 2
    a = stack(a, "a")
    b = stack(b, "b", a.shape[1])
    scores = scores_on(a, b, resamples(a.shape[1], n, fraction, seed), method)
    return scores[:, 0, 0] if single else scores


def scores_on(a: np.ndarray, b: np.ndarray, counts: np.ndarray, method: str = "spearman") -> np.ndarray:
    """Scores (resamples, models, subjects) of a (models, n, n) with b (subjects, n, n) for counts
    (resamples, n)."""
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    scores = ranking.scores(a, b, counts) if method == "spearman" else _linear(a, b, counts, method == "pearson")
    undefined = np.count_nonzero(np.isnan(scores).any(axis=(1, 2)))
    if undefined:
        warnings.warn(
            f"{undefined} of {len(counts)} resamples leave an RDM constant: their scores are NaN. The RDM has too few"
            " distinct entries, or there are too few images, for resampling.",
            stacklevel=3,
        )
    return scores


def _linear(a, b, counts, centre: bool) -> np.ndarray:
    """Pearson or cosine: every sum over pairs is a quadratic form in the counts."""
    m = counts.astype(np.float64)
    i, j = np.triu_indices(a.shape[1], 1)

    def symmetric(x):
        y = np.zeros_like(x)
        y[i, j] = x[i, j] - (x[i, j].mean() if centre else 0)
        return y + y.T

    a, b = [symmetric(x) for x in a], [symmetric(x) for x in b]

    def total(x):
        return np.einsum("rn,rn->r", m @ x, m) / 2

    pairs = (m.sum(axis=1) ** 2 - (m**2).sum(axis=1)) / 2

    def moments(x):
        mean = total(x) / pairs if centre else np.zeros(len(m))
        return mean, total(x**2) - pairs * mean**2

    left, right = [moments(x) for x in a], [moments(x) for x in b]
    out = np.empty((len(m), len(a), len(b)))
    for k, (x, (mean_x, spread_x)) in enumerate(zip(a, left, strict=True)):
        for s, (y, (mean_y, spread_y)) in enumerate(zip(b, right, strict=True)):
            product = total(x * y) - pairs * mean_x * mean_y
            spread = spread_x * spread_y
            floor = 1e-20 * (x**2).sum() * (y**2).sum()
            out[:, k, s] = np.where(spread > floor, product / np.sqrt(np.maximum(spread, floor)), np.nan)
    return out


def jackknife(a, b, method: str = "spearman") -> np.ndarray:
    """Scores with one stimulus left out at a time: (n,), or (n, models, subjects) where either side is a
    stack.

    >>> import numpy as np
    >>> a, b = (np.corrcoef(x) for x in np.random.default_rng(0).normal(size=(2, 12, 30)))
    >>> jackknife(a, b).shape
    (12,)
    """
    single = np.ndim(a) == 2 and np.ndim(b) == 2
    a = stack(a, "a")
    b = stack(b, "b", a.shape[1])
    scores = scores_on(a, b, 1 - np.eye(a.shape[1], dtype=np.int32), method)
    return scores[:, 0, 0] if single else scores
