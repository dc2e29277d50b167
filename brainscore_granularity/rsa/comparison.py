"""Comparison of representational dissimilarity matrices (RDMs): arrays in, numbers out."""

from __future__ import annotations

import numpy as np
from scipy.linalg import orth
from scipy.stats import kendalltau, rankdata


def upper(rdm) -> np.ndarray:
    """Entries above the diagonal: (..., n, n) -> (..., n(n-1)/2), in the order of ``numpy.triu_indices``.

    >>> upper([[0, 1, 2], [1, 0, 3], [2, 3, 0]])
    array([1, 2, 3])
    """
    rdm = np.asarray(rdm)
    if rdm.ndim < 2 or rdm.shape[-1] != rdm.shape[-2]:
        raise ValueError(f"rdm: expected a square matrix (..., n, n), got {rdm.shape}")
    i, j = np.triu_indices(rdm.shape[-1], 1)
    return rdm[..., i, j]


def compare(a, b, method: str = "spearman", control=None) -> float:
    """Similarity of two RDMs over their upper triangles.

    Parameters
    ----------
    a, b : (n, n)
        RDMs of the same images in the same order.
    method : {"spearman", "pearson", "kendall", "cosine", "whitened"}
        ``"spearman"``: correlation of average ranks, ties included. ``"kendall"``: tau-a, (concordant -
        discordant) / all pairs of entries; unlike Spearman it does not favour models that predict ties
        (Nili et al. 2014). ``"whitened"``: cosine after whitening by the covariance of the entries that
        independent noise on the images induces (Diedrichsen et al. 2021), for crossnobis RDMs.
    control : (n, n) or list of (n, n), optional
        RDMs whose linear contribution is removed from both sides (for Spearman: ranks from ranks), such as
        those of pixels or luminance: a partial correlation. For "spearman" and "pearson".

    Returns
    -------
    float
        Between -1 and 1.

    Examples
    --------
    >>> a, b, c = (1 - np.corrcoef(x) for x in np.random.default_rng(0).normal(size=(3, 10, 20)))
    >>> compare(a + c, b + c) > 0.2 > abs(compare(a + c, b + c, control=c))
    True
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    x, y = _entries(a, "a"), _entries(b, "b")
    if len(x) != len(y):
        raise ValueError(f"a, b: expected RDMs of the same images, got {np.shape(a)} and {np.shape(b)}")
    if control is None:
        return float(METHODS[method](x, y))
    if method not in ("spearman", "pearson"):
        raise ValueError(f"control needs method 'spearman' or 'pearson', got {method!r}")
    controls = [control] if np.ndim(control) == 2 else list(control)
    z = [_entries(c, f"control {k}") for k, c in enumerate(controls)]
    if any(len(c) != len(x) for c in z):
        raise ValueError(f"control: expected {np.shape(a)} each, got {[np.shape(c) for c in controls]}")
    if method == "spearman":
        x, y, *z = map(rankdata, (x, y, *z))
    basis = orth(np.stack([(c - c.mean()) / c.std() for c in z], axis=1), rcond=1e-10)  # of any rank
    left, right = (v - v.mean() for v in (x, y))
    spread = np.linalg.norm(left), np.linalg.norm(right)
    left, right = (v - basis @ (basis.T @ v) for v in (left, right))
    for side, v, s in (("a", left, spread[0]), ("b", right, spread[1])):
        if np.linalg.norm(v) <= 1e-10 * s:
            raise ValueError(f"control explains {side} completely: nothing is left to correlate; drop a control")
    return float(_cosine(left, right))


def ranked(r, name: str = "rdm") -> np.ndarray:
    """The RDM (n, n) with average ranks, from 1, in place of its dissimilarities, and 0 on the diagonal.

    >>> ranked([[0, 0.5, 0.2], [0.5, 0, 0.5], [0.2, 0.5, 0]])
    array([[0. , 2.5, 1. ],
           [2.5, 0. , 2.5],
           [1. , 2.5, 0. ]])
    """
    return _symmetric(rankdata(_entries(r, name)))


def standardised_ranks(r, name: str = "rdm") -> np.ndarray:
    """Average ranks of the upper triangle, centred and of length 1.

    The inner product of two of them is the Spearman correlation of their RDMs: for many comparisons of the same RDMs.

    >>> a, b = (1 - np.corrcoef(x) for x in np.random.default_rng(0).normal(size=(2, 10, 20)))
    >>> bool(np.isclose(standardised_ranks(a) @ standardised_ranks(b), compare(a, b), atol=1e-14))
    True
    """
    ranks = rankdata(_entries(r, name))
    ranks -= ranks.mean()
    return ranks / np.linalg.norm(ranks)


def _entries(r, name: str) -> np.ndarray:
    """Upper triangle as float64, checked."""
    r = np.asarray(r, dtype=np.float64)
    if r.ndim != 2 or r.shape[0] != r.shape[1] or len(r) < 3:
        raise ValueError(f"{name}: expected one RDM (n, n) of at least 3 images, got {r.shape}")
    x = upper(r)
    if not np.isfinite(x).all():
        raise ValueError(
            f"{name}: {np.count_nonzero(~np.isfinite(x))} of {len(x)} entries are NaN or infinite; leave those"
            " images out, or compute the RDM with rsa.rdm, which names them"
        )
    if x.min() == x.max():
        raise ValueError(f"{name}: the RDM is constant ({x[0]:g} throughout), so no similarity is defined")
    return x


def _cosine(x, y) -> float:
    return np.clip(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)), -1, 1)


def _pearson(x, y) -> float:
    return _cosine(x - x.mean(), y - y.mean())


def _spearman(x, y) -> float:
    return _pearson(rankdata(x), rankdata(y))


def _kendall(x, y) -> float:
    """tau-a, from scipy's tau-b, which divides the same sum by the number of untied pairs instead of all pairs."""

    def untied(v):
        size = np.unique(v, return_counts=True)[1].astype(float)
        return pairs - (size * (size - 1)).sum() / 2

    pairs = len(x) * (len(x) - 1) / 2
    return kendalltau(x, y, method="asymptotic").statistic * np.sqrt(untied(x) * untied(y)) / pairs


def _whitened(x, y) -> float:
    """Cosine of doubly centred inner-product matrices: equal to whitening by the entries' covariance."""
    return _cosine(*(_centred_kernel(v).ravel() for v in (x, y)))


def partial(ab, ac, bc):
    """Partial correlation of a and b given c, from the three correlations.

    >>> round(partial(0.5, 0.0, 0.0), 2), round(partial(0.25, 0.5, 0.5), 2)
    (0.5, 0.0)
    """
    return (ab - ac * bc) / np.sqrt((1 - ac**2) * (1 - bc**2))


def _symmetric(x) -> np.ndarray:
    """The matrix (n, n) with these entries above and below the diagonal, and 0 on it."""
    n = round((1 + np.sqrt(1 + 8 * len(x))) / 2)
    i, j = np.triu_indices(n, 1)
    out = np.zeros((n, n))
    out[i, j] = out[j, i] = x
    return out


def _centred_kernel(x) -> np.ndarray:
    g = _symmetric(-x / 2)
    return g - g.mean(axis=0) - g.mean(axis=1)[:, None] + g.mean()


METHODS = {
    "spearman": _spearman,
    "pearson": _pearson,
    "kendall": _kendall,
    "cosine": _cosine,
    "whitened": _whitened,
}
