"""Scaling of features before images are compared: none, or z-scores over the images."""

from __future__ import annotations

import numpy as np

SCALINGS = ("none", "z-score")


def check(scaling: str) -> str:
    """The name of a scaling, or an error that lists them.

    >>> check("zscore")
    Traceback (most recent call last):
        ...
    ValueError: scaling: expected one of none, z-score, got 'zscore'
    """
    if scaling not in SCALINGS:
        raise ValueError(f"scaling: expected one of {', '.join(SCALINGS)}, got {scaling!r}")
    return scaling


def z_scored(features: np.ndarray) -> np.ndarray:
    """Each feature less its mean over the images, divided by its standard deviation over them.

    Parameters
    ----------
    features : (n, f)
        All images, some or all features: blocks of features give the same as the whole.

    Returns
    -------
    (n, f)
        In the type of ``features``, computed in float64. A feature that is the same for all images is 0.

    Examples
    --------
    >>> z_scored(np.array([[1.0, 5.0], [3.0, 5.0]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    x = features.astype(np.float64)
    x -= x.mean(axis=0)
    spread = np.sqrt(np.square(x).mean(axis=0))
    varies = (features != features[:1]).any(axis=0)  # by comparison: rounding of the mean leaves a trace
    x *= np.where(varies, 1 / np.where(spread > 0, spread, 1), 0)
    return x.astype(features.dtype if features.dtype.kind == "f" else np.float64)
