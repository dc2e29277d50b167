"""Differences between conditions of several networks each: stimuli and networks as random factors."""

from __future__ import annotations

import numpy as np

from .checks import stack
from .estimates import Estimate, estimate
from .resampling import resamples, scores_on


def over_networks(
    a, weights, b, n: int = 1000, seed: int = 0, *, level: float = 0.95, method: str = "spearman"
) -> list[Estimate]:
    """Weighted sums of models' scores, one a network, and their mean over networks.

    `contrasts` with the networks of a condition in the place of subjects: the variances that new stimuli and new
    networks bring are added, less what both contain, and t has Satterthwaite's degrees of freedom. Scores are averaged
    over subjects, who are fixed. With one network only stimuli are random.

    Parameters
    ----------
    a : (models, n, n)
        RDMs of all networks.
    weights : list of (networks, models)
        A contrast each, one row a network: 1 for the network of a seed and -1 for another condition's of that seed.
    b : (n, n) or (subjects, n, n)
        RDMs of the subjects.
    n, seed, level, method
        As in `two_factor`.

    Returns
    -------
    list of Estimate
        p is two-sided, against 0.

    Examples
    --------
    >>> x, y, *noise = np.random.default_rng(0).normal(size=(8, 30, 40))
    >>> near, far = ([np.corrcoef(z + e) for e in noise[:3]] for z in (x, y))
    >>> pairs = np.hstack([np.eye(3), -np.eye(3)])
    >>> found = over_networks(near + far, [pairs], np.corrcoef(x + noise[3]), n=200)
    >>> found[0].value > 0, found[0].p < 0.05
    (True, True)
    """
    a = stack(a, "a")
    b = stack(b, "b", a.shape[1])
    weights = [np.atleast_2d(np.asarray(own, float)) for own in weights]
    for own in weights:
        if own.ndim != 2 or own.shape[1] != len(a):
            raise ValueError(f"weights: expected (networks, {len(a)}), one number a model, got {own.shape}")
    images = a.shape[1]
    counts = (np.ones((1, images), np.int32), resamples(images, n, None, seed), 1 - np.eye(images, dtype=np.int32))
    whole, drawn, one_out = (scores_on(a, b, rows, method).mean(axis=2) for rows in counts)  # (resamples, models)
    return [
        estimate(
            _of(own, whole), _of(own, drawn), _of(own, one_out), images, seed,
            "both" if len(own) > 1 else "stimuli", level,
        )
        for own in weights
    ]  # fmt: skip


def _of(own, scores) -> np.ndarray:
    """(resamples, networks): the sums, of the resamples in which all are defined."""
    used = (own != 0).any(axis=0)
    out = scores[:, used] @ own[:, used].T
    return out[np.isfinite(out).all(axis=1)]
