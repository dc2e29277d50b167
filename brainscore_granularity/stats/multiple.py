"""Many tests at once."""

from __future__ import annotations

import numpy as np


def fdr(p) -> np.ndarray:
    """False discovery rates by the step-up procedure of Benjamini & Hochberg (1995).

    .. math:: q_{(i)} = \\min_{j \\ge i} \\min(1, m\\, p_{(j)} / j).

    Parameters
    ----------
    p : (...)
        p values; the family is the whole array.

    Returns
    -------
    (...) float64
        Rejecting all q <= 0.05 keeps the expected share of false discoveries at or below 5%.

    Examples
    --------
    >>> fdr([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    p = np.asarray(p, float)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p: expected p values between 0 and 1 and no NaN, got {p[~((p >= 0) & (p <= 1))][:3]}")
    flat = p.ravel()
    order = np.argsort(flat)
    scaled = flat[order] * len(flat) / np.arange(1, len(flat) + 1)
    q = np.empty_like(flat)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return q.reshape(p.shape)
