"""Universality: how well other networks predict each principal component of a network (Chen & Bonner 2025)."""

from __future__ import annotations

import numpy as np

ALPHAS = (0.0, *np.logspace(-3, 4, 8))
FOLDS = 5


def ridge_leave_one_out(x, y, x_new, alphas=ALPHAS) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression of all targets at once; each target's penalty by analytic leave-one-out, one SVD for all.

    With centred X = U S V^T and the leverages h_i(a) = 1/n + sum_k u_ik^2 s_k^2 / (s_k^2 + a), the prediction of y_i
    by a fit without image i is

    .. math:: \\hat y_{-i} = (\\hat y_i - h_i y_i) / (1 - h_i);

    the penalty whose predictions correlate best with y is taken (Pearson).

    Parameters
    ----------
    x : (n, p) predictors; y : (n, t) targets; x_new : (m, p).
    alphas : penalties; 0 is least squares of minimum norm, left out where it would fit all images exactly.

    Returns
    -------
    (m, t) predictions, (t,) chosen penalties.
    """
    x, y, x_new = (np.asarray(each, np.float64) for each in (x, y, x_new))
    if len(x) != len(y) or x.shape[1] != x_new.shape[1] or len(x) < 3:
        raise ValueError(f"expected (n, p), (n, t), (m, p) with n >= 3, got {x.shape}, {y.shape}, {x_new.shape}")
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    u, s, vt = np.linalg.svd(x - mean_x, full_matrices=False)
    good = s > s[0] * 1e-10
    u, s, vt = u[:, good], s[good], vt[good]
    onto = u.T @ y  # (k, t); u is centred, so that the mean of y does not matter
    best, chosen = np.full(y.shape[1], -np.inf), np.zeros(y.shape[1])
    for alpha in alphas:
        shrink = s**2 / (s**2 + alpha)
        leverage = 1 / len(x) + u**2 @ shrink
        if (1 - leverage).min() < 1e-8:
            continue
        fitted = u @ (shrink[:, None] * onto) + mean_y
        r = correlation((fitted - leverage[:, None] * y) / (1 - leverage)[:, None], y)
        better = r > best
        best[better], chosen[better] = r[better], alpha
    coefficients = vt.T @ (s[:, None] / (s[:, None] ** 2 + chosen) * onto)
    return (x_new - mean_x) @ coefficients + mean_y, chosen


def held_out_r(x, y, alphas=ALPHAS, folds: int = FOLDS, seed: int = 0) -> np.ndarray:
    """(t,) Pearson r of held-out predictions, mean over shuffled folds; a constant prediction counts 0."""
    if len(x) < 4 * folds:
        raise ValueError(f"{folds} folds need at least {4 * folds} images, got {len(x)}")
    parts = np.array_split(np.random.default_rng(seed).permutation(len(x)), folds)
    r = []
    for test in parts:
        fit = np.setdiff1d(np.arange(len(x)), test)
        r.append(correlation(ridge_leave_one_out(x[fit], y[fit], x[test], alphas)[0], y[test]))
    return np.mean(r, axis=0)


def principal_components(x, fit) -> tuple[np.ndarray, np.ndarray]:
    """Scores (n, k) and variances (k,) of components fitted on some images only, up to the rank."""
    mean = x[fit].mean(axis=0)
    _, s, vt = np.linalg.svd(x[fit] - mean, full_matrices=False)
    good = s > s[0] * 1e-6 if s[0] > 0 else np.zeros(len(s), bool)
    good[len(fit) - 1 :] = False
    return (x - mean) @ vt[good].T, s[good] ** 2 / (len(fit) - 1)


def correlation(a, b) -> np.ndarray:
    """Pearson r of each column of two arrays; 0 where one does not vary."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    norm = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.where(norm > 1e-12, (a * b).sum(axis=0) / np.where(norm > 1e-12, norm, 1), 0)


def weighted(r, variances) -> float:
    """Mean over components, weighted by their variance."""
    return float(np.average(r, weights=variances))


def slope(classes, values) -> float:
    """Change of universality for every doubling of the number of classes; below 0: it rises as classes get coarser."""
    x = np.log2(np.asarray(classes, float))
    return float(((x - x.mean()) * (values - np.mean(values))).sum() / ((x - x.mean()) ** 2).sum())


def bootstrapped_slope(classes, values, resamples: int = 1000, seed: int = 0, level: float = 0.95):
    """(slope, low, high), resampling the predicting networks.

    Parameters
    ----------
    classes : (targets,)
    values : (targets, predictors) variance-weighted r of each pair; NaN where a network would predict itself.
    """
    rng, values = np.random.default_rng(seed), np.asarray(values, float)
    drawn = []
    for _ in range(resamples):
        picked = values[:, rng.integers(0, values.shape[1], values.shape[1])]
        if np.isfinite(picked).any(axis=1).all():
            drawn.append(slope(classes, np.nanmedian(picked, axis=1)))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return slope(classes, np.nanmedian(values, axis=1)), float(low), float(high)
