"""Distances that know the noise: its covariance, whitening by it, and products between independent repeats."""

from __future__ import annotations

import numpy as np

from .degenerate import refuse_images


def noise_covariance(repeats, shrinkage: float | None = None) -> np.ndarray:
    """Covariance over features of the differences between repeats of one image, shrunk towards mean(variance) I.

    Parameters
    ----------
    repeats : (repeats, n, P)
    shrinkage : float, optional
        Weight of mean(variance) I, from 0 to 1; default: the optimum of Ledoit & Wolf (2004).

    Returns
    -------
    (P, P) float64

    Examples
    --------
    >>> noise_covariance(np.random.default_rng(0).normal(size=(4, 50, 3))).shape
    (3, 3)
    """
    x = np.asarray(repeats, dtype=np.float64)
    if x.ndim != 3 or len(x) < 2:
        raise ValueError(f"repeats: expected (repeats, images, features) with at least 2 repeats, got {x.shape}")
    residual = (x - x.mean(axis=0)).reshape(-1, x.shape[-1])
    degrees = (len(x) - 1) * x.shape[1]
    sample = residual.T @ residual / degrees
    target = np.trace(sample) / len(sample) * np.eye(len(sample))
    if shrinkage is None:
        distance = ((sample - target) ** 2).sum()
        squares = (residual**2).sum(axis=1) ** 2
        scatter = (squares.sum() - degrees**2 / len(residual) * (sample**2).sum()) / degrees**2
        shrinkage = float(np.clip(scatter / distance, 0, 1)) if distance > 0 else 1.0
    if not 0 <= shrinkage <= 1:
        raise ValueError(f"shrinkage: expected a weight from 0 to 1, got {shrinkage}")
    return shrinkage * target + (1 - shrinkage) * sample


def whiten(x: np.ndarray, noise) -> np.ndarray:
    """Features (..., P) in coordinates in which noise of this covariance (P, P) is the identity."""
    noise = np.asarray(noise, dtype=np.float64)
    if noise.shape != (x.shape[-1],) * 2:
        raise ValueError(f"noise: expected a covariance ({x.shape[-1]}, {x.shape[-1]}), got {noise.shape}")
    try:
        factor = np.linalg.cholesky(noise)
    except np.linalg.LinAlgError as error:
        raise ValueError("noise: expected a positive definite covariance; shrink it, see noise_covariance") from error
    flat = x.reshape(-1, x.shape[-1]).astype(np.float64)
    return np.linalg.solve(factor, flat.T).T.reshape(x.shape)


def crossnobis(x: np.ndarray, images, layer) -> np.ndarray:
    """Crossnobis distances (n, n) of whitened features (repeats, n, P), averaged over pairs of different repeats."""
    if len(x) < 2:
        raise ValueError(f"features: crossnobis expects at least 2 repeats (repeats, images, ...), got {x.shape}")
    refuse_images(~np.isfinite(x).all(axis=(0, 2)), "NaN, infinite or overflowing features", images, layer)
    x = x.astype(np.float64)
    x -= x.mean(axis=1, keepdims=True)  # differences between images do not depend on it
    total = x.sum(axis=0)
    cross = (total @ total.T - sum(r @ r.T for r in x)) / (len(x) * (len(x) - 1) * x.shape[-1])
    power = np.diag(cross)
    out = power[:, None] + power - cross - cross.T
    np.fill_diagonal(out, 0)
    return out
