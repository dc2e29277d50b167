"""Linear encoding: ridge regression from a layer to units or voxels, from the inner products between images alone.

The weights are combinations of images, w = X^T (K + alpha I)^-1 y with K = X X^T, so that a layer of any width costs
one (n, n) matrix. Of that, one decomposition a fold serves all penalties and all units.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .components import eigh

FOLDS = 5
ALPHAS = np.logspace(-5, 5, 21)  # in units of the mean squared norm of the centred features: see `penalties`
UNITS = 1024  # units that are correlated at once: some 10 MB for each 1,000 resamples, several times over
FLAT = 1e-12  # a prediction that varies by less than this share of its size is constant but for rounding


class Predicted(NamedTuple):
    """What ridge regression predicts of images that it was not fitted on."""

    values: np.ndarray  # (images, units) in units of the responses
    alpha: np.ndarray  # (folds, units) penalties that were chosen


def fold_of_images(images: int, folds: int = FOLDS, seed: int = 0) -> np.ndarray:
    """Fold of each image (images,): random, of sizes that differ by one at most.

    >>> np.bincount(fold_of_images(12)).tolist()
    [3, 3, 2, 2, 2]
    """
    if not 2 <= folds <= images // 2:
        raise ValueError(f"folds: expected 2 to {images // 2}, two images or more in each, got {folds}")
    return np.random.default_rng(seed).permutation(np.arange(images) % folds)


def penalties(gram: np.ndarray) -> np.ndarray:
    """Penalties to choose from: ``ALPHAS`` times the mean squared norm of the images' centred features."""
    return ALPHAS * (np.trace(gram) / len(gram) - gram.mean())


def cross_predict(gram, responses, fold, alphas=None) -> Predicted:
    """Predict the images of each fold from a fit to the others, the penalty chosen for each unit within the others.

    Parameters
    ----------
    gram : (n, n)
        Inner products of the features of n images; where these are centred does not matter.
    responses : (n, units)
    fold : (n,) int
        Fold of each image, as from :func:`fold_of_images`.
    alphas : (k,), optional
        Penalties to choose from; by default :func:`penalties` of the images that are fitted.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, w = rng.normal(size=(60, 5)), rng.normal(size=(5, 2))
    >>> found = cross_predict(x @ x.T, x @ w, fold_of_images(60))
    >>> bool(np.abs(found.values - x @ w).max() < 0.01)
    True
    """
    gram, y = np.asarray(gram, np.float64), np.asarray(responses, np.float64)
    if gram.shape != (len(y), len(y)) or y.ndim != 2 or len(fold) != len(y):
        raise ValueError(
            f"expected gram (n, n), responses (n, units) and fold (n,), got {gram.shape}, {y.shape} and {len(fold)}"
        )
    if not (np.isfinite(gram).all() and np.isfinite(y).all()):
        raise ValueError("gram, responses: expected finite numbers; leave out units with NaN")
    values, chosen = np.empty(y.shape), []
    for k in np.unique(fold):
        test, fit = np.flatnonzero(fold == k), np.flatnonzero(fold != k)
        own = gram[np.ix_(fit, fit)]
        values[test], alpha = predict(
            own, gram[np.ix_(test, fit)], y[fit], penalties(own) if alphas is None else alphas
        )
        chosen.append(alpha)
    return Predicted(values, np.stack(chosen))


def predict(gram, others, responses, alphas) -> tuple[np.ndarray, np.ndarray]:
    """Fit ridge regression with an intercept to n images and predict m others.

    Parameters
    ----------
    gram : (n, n)
        Inner products of the images that are fitted.
    others : (m, n)
        Of the others with them.
    responses : (n, units)
    alphas : (k,)
        Of these each unit gets the one with the least squared error of the n images, each predicted from the others.

    Returns
    -------
    predictions (m, units), alpha (units,)

    Notes
    -----
    With the hat matrix H of the fit, intercept included, the prediction of image i from the others is off by
    (y - H y)_i / (1 - H_ii), exactly; H has the eigenvectors of the centred K for every alpha.

    Examples
    --------
    >>> x = np.arange(6.0)[:, None]
    >>> predict(x @ x.T, 10 * x.T, 2 * x + 1, [1e-9])[0].round(6).tolist()  # at x = 10
    [[21.0]]
    """
    alphas, n = np.asarray(alphas, np.float64), len(gram)
    mean, grand = gram.mean(axis=0), gram.mean()
    values, vectors = eigh(gram - mean - mean[:, None] + grand)
    values = np.maximum(values, 0)
    intercept = responses.mean(axis=0)
    y = vectors.T @ (responses - intercept)  # (n, units)
    squares = vectors**2
    losses = np.empty((len(alphas), y.shape[1]))
    for k, alpha in enumerate(alphas):
        left = alpha / (values + alpha) if alpha > 0 else (values <= 0).astype(float)
        free = squares @ left - 1 / n  # 1 - H_ii: the intercept lies in the null space of the centred K
        losses[k] = np.square((vectors @ (left[:, None] * y)) / np.maximum(free, 1e-12)[:, None]).mean(axis=0)
    alpha = alphas[losses.argmin(axis=0)]
    dual = vectors @ (y / (values[:, None] + alpha))
    centred = others - others.mean(axis=1, keepdims=True) - mean + grand
    return centred @ dual + intercept, alpha


def correlations(predicted, responses, fold, counts=None) -> np.ndarray:
    """Pearson correlation of predictions and responses in each fold, averaged over the folds.

    Of features that tell nothing it is 0 on average, because no fold has a say in its own prediction. Over all folds at
    once it would be negative: a fold of high responses leaves low ones to the fit that predicts it.

    Parameters
    ----------
    predicted, responses : (images, units)
    fold : (images,) int
    counts : (resamples, images), optional
        How often each image stands in each resample.

    Returns
    -------
    (units,), or (resamples, units). A fold whose predictions are constant counts 0.

    Examples
    --------
    >>> y = np.array([[1.0], [2.0], [7.0], [9.0]])
    >>> correlations(10 - y, y, np.array([0, 0, 1, 1])).round(6).tolist()
    [-1.0]
    """
    if responses.shape[1] > UNITS:
        blocks = [slice(start, start + UNITS) for start in range(0, responses.shape[1], UNITS)]
        parts = [correlations(predicted[:, block], responses[:, block], fold, counts) for block in blocks]
        return np.concatenate(parts, axis=-1)
    weights = np.ones((1, len(predicted))) if counts is None else np.asarray(counts, np.float64)
    folds = np.unique(fold)
    r = np.zeros((len(weights), responses.shape[1]))
    for k in folds:
        rows = np.flatnonzero(fold == k)
        w, p, y = weights[:, rows], predicted[rows], responses[rows]
        floor = FLAT**2 * np.square(p).sum(axis=0)
        p, y = p - p.mean(axis=0), y - y.mean(axis=0)
        size = np.maximum(w.sum(axis=1), 1)[:, None]
        sum_p, sum_y = w @ p, w @ y
        pp, yy = w @ p**2 - sum_p**2 / size, w @ y**2 - sum_y**2 / size
        varies = (pp > floor) & (yy > FLAT**2 * np.square(y).sum(axis=0))
        r += np.where(varies, (w @ (p * y) - sum_p * sum_y / size) / np.sqrt(np.where(varies, pp * yy, 1)), 0)
    r /= len(folds)
    return r[0] if counts is None else r


def signal_share(repeats) -> np.ndarray:
    """Share of the variance of the mean over repeats that is signal, (units,), from 0 to 1.

    Its square root is the highest correlation with that mean that a prediction can reach.

    Parameters
    ----------
    repeats : (repeats, images, units)
        NaN where an image was shown less often than others, at least twice.

    Notes
    -----
    With k_i repeats of image i, variance s_i among them and variance s_b of the means over images, the noise in the
    means is the mean of s_i / k_i, and the share is 1 - mean(s_i / k_i) / s_b (Allen et al. 2022).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> signal, noise = rng.normal(size=(500, 1)), rng.normal(size=(4, 500, 1))
    >>> signal_share(signal + noise).round(1).tolist()  # 1 / (1 + 1 / 4)
    [0.8]
    """
    x = np.asarray(repeats, np.float64)
    if x.ndim != 3 or len(x) < 2 or x.shape[1] < 2:
        raise ValueError(f"repeats: expected (repeats, images, units), at least 2 of the first two, got {x.shape}")
    shown = np.isfinite(x).sum(axis=0)  # (images, units)
    if shown.min() < 2:
        raise ValueError(
            f"repeats: expected at least 2 of each image, got {shown.min()} of image {shown.min(1).argmin()}"
        )
    noise = (np.nanvar(x, axis=0, ddof=1) / shown).mean(axis=0)
    between = np.nanmean(x, axis=0).var(axis=0, ddof=1)
    return np.clip(1 - noise / np.where(between > 0, between, np.inf), 0, 1) * (between > 0)
