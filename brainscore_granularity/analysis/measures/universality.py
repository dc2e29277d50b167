"""Universality: how well other networks predict each principal component of a network (Chen & Bonner 2025)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from brainscore_granularity.rsa.components import eigh

ALPHAS = (0.0, *np.logspace(-3, 4, 8))
FOLDS = 5
MEASURES = ("weighted", "first_10", "mean")  # weights: by variance; equal over each layer's first ten; all equal
BLOCK = 256  # targets at a time, so that intermediate arrays fit in the processor's cache


class Predictors:
    """Ridge regression from some predictors to any number of targets: one decomposition for all targets and penalties.

    With centred X = U S V^T and the leverages h_i(a) = 1/n + sum_k u_ik^2 s_k^2 / (s_k^2 + a), the prediction of y_i
    by a fit without image i is

    .. math:: \\hat y_{-i} = (\\hat y_i - h_i y_i) / (1 - h_i);

    For each target, the penalty whose predictions correlate best with y (Pearson) is used.

    Parameters
    ----------
    x : (n, p); x_new : (m, p), images to predict for. With more columns than images, the inner products of images
        are decomposed instead.
    alphas : penalties; 0 is least squares of minimum norm, left out if it would fit all images exactly.
    """

    def __init__(self, x, x_new, alphas=ALPHAS):
        if x.ndim != 2 or x_new.ndim != 2 or x.shape[1] != x_new.shape[1] or len(x) < 3:
            raise ValueError(f"expected (n, p) and (m, p) with n >= 3, got {x.shape} and {x_new.shape}")
        mean = x.mean(axis=0)
        x, x_new = x - mean, x_new - mean
        if x.shape[1] > len(x):
            values, u = eigh(x @ x.T)
            good = values > max(values[-1] * 1e-13, 1e-300)  # smaller values are rounding errors
            self.u, self.s = u[:, good], np.sqrt(values[good])
            self.new = (x_new @ x.T) @ (self.u / self.s)
        else:
            u, s, vt = np.linalg.svd(x, full_matrices=False)
            good = s > s[0] * 1e-10
            self.u, self.s = u[:, good], s[good]
            self.new = x_new @ vt[good].T
        self.penalties = []
        for alpha in alphas:
            shrink = self.s**2 / (self.s**2 + alpha)
            leverage = 1 / len(x) + self.u**2 @ shrink
            if (1 - leverage).min() >= 1e-8:
                self.penalties.append((alpha, shrink, leverage[:, None]))

    def predict(self, y) -> tuple[np.ndarray, np.ndarray]:
        """Targets (n, t) -> predictions for the new images (m, t), chosen penalties (t,)."""
        if len(y) != len(self.u):
            raise ValueError(f"expected targets of {len(self.u)} images, got {y.shape}")
        parts = [self._predict(y[:, start : start + BLOCK]) for start in range(0, y.shape[1], BLOCK)]
        predictions, chosen = zip(*parts, strict=True)
        return np.concatenate(predictions, axis=1), np.concatenate(chosen)

    def _predict(self, y):
        mean = y.mean(axis=0)
        y = y - mean
        onto = self.u.T @ y
        best, chosen = np.full(y.shape[1], -np.inf), np.zeros(y.shape[1])
        for alpha, shrink, leverage in self.penalties:
            left_out = self.u @ (shrink[:, None] * onto)
            left_out -= leverage * y
            left_out /= 1 - leverage
            r = correlation(left_out, y)
            better = r > best
            best[better], chosen[better] = r[better], alpha
        coefficients = self.s[:, None] / (self.s[:, None] ** 2 + chosen) * onto
        return self.new @ coefficients + mean, chosen


class HeldOut(NamedTuple):
    """Predictions of images that were not used in the fit.

    r : (t,) Pearson r of each target, mean over folds; a constant prediction counts 0.
    predictions : (n, t).
    folds : images of each fold.
    """

    r: np.ndarray
    predictions: np.ndarray
    folds: list[np.ndarray]


def held_out(x, y, alphas=ALPHAS, folds: int = FOLDS, seed: int = 0) -> HeldOut:
    """Predict every image of y (n, t) from x (n, p) by fits on the other folds, which are shuffled."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(x) < 4 * folds:
        raise ValueError(f"{folds} folds need at least {4 * folds} images, got {len(x)}")
    parts = np.array_split(np.random.default_rng(seed).permutation(len(x)), folds)
    predictions, r = np.empty(y.shape), []
    for test in parts:
        fit = np.setdiff1d(np.arange(len(x)), test)
        predictions[test] = Predictors(x[fit], x[test], alphas).predict(y[fit])[0]
        r.append(correlation(predictions[test], y[test]))
    return HeldOut(np.mean(r, axis=0), predictions, parts)


def held_out_r(x, y, alphas=ALPHAS, folds: int = FOLDS, seed: int = 0) -> np.ndarray:
    """Only the r (t,) of `held_out`."""
    return held_out(x, y, alphas, folds, seed).r


def resampled_r(found: HeldOut, y, resamples: int, seed: int = 0) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields (slice of targets, r (resamples, targets in the slice)) on resamples of the images of every fold.

    Fits are not repeated: the interval is for new images, not for new fits.
    """
    rng, y = np.random.default_rng(seed), np.asarray(y, np.float64)
    counts = [rng.multinomial(len(fold), np.full(len(fold), 1 / len(fold)), resamples).astype(np.float64)
              for fold in found.folds]  # fmt: skip
    for start in range(0, y.shape[1], BLOCK):
        some, total = slice(start, start + BLOCK), 0.0
        for fold, m in zip(found.folds, counts, strict=True):
            a, b = found.predictions[fold, some], y[fold, some]
            total = total + _weighted_correlation(a, b, m / len(fold))
        yield some, total / len(found.folds)


def _weighted_correlation(a, b, weights):
    """Pearson r (resamples, t) of the columns of a and b (n, t) for weights (resamples, n) that sum to 1."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    mean_a, mean_b = weights @ a, weights @ b
    spread = (weights @ a**2 - mean_a**2) * (weights @ b**2 - mean_b**2)
    floor = 1e-12 * (a**2).mean(axis=0) * (b**2).mean(axis=0)
    good = spread > floor
    return np.where(good, (weights @ (a * b) - mean_a * mean_b) / np.sqrt(np.where(good, spread, 1)), 0)


def correlation(a, b) -> np.ndarray:
    """Pearson r of each column of two arrays; 0 if a column is constant."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    norm = np.sqrt(np.einsum("nt,nt->t", a, a) * np.einsum("nt,nt->t", b, b))
    return np.where(norm > 1e-12, np.einsum("nt,nt->t", a, b) / np.where(norm > 1e-12, norm, 1), 0)


def weighted(r, variances) -> float:
    """Mean over components, weighted by their variance."""
    return float(np.average(r, weights=variances))


def slope(classes, values) -> float:
    """Change of universality for every doubling of the number of classes; below 0: it rises as classes get coarser."""
    x = np.log2(np.asarray(classes, float))
    return float(((x - x.mean()) * (values - np.mean(values))).sum() / ((x - x.mean()) ** 2).sum())


def measure_weights(about, model: str) -> np.ndarray:
    """Weights (measures, t) of a network's components: its measures are weighted sums of their r; layers count equally.

    about : table with t rows: model, layer, rank and variance of every component.
    """
    mine, layers = (about["model"] == model).to_numpy(), about.loc[about["model"] == model, "layer"].unique()
    out = np.zeros((len(MEASURES), len(about)))
    for layer in layers:
        own = mine & (about["layer"] == layer).to_numpy()
        kinds = about["variance"].to_numpy() * own, own & (about["rank"] <= 10).to_numpy(), own
        for row, kind in zip(out, kinds, strict=True):
            row += kind / kind.sum() / len(layers)
    return out


def median_over_networks(values) -> np.ndarray:
    """Median over the last axis of (..., targets, predictors), without a network's prediction of itself (NaN)."""
    return np.nanmedian(values, axis=-1)


def bootstrapped_slope(classes, values, samples=None, resamples: int = 1000, seed: int = 0, level: float = 0.95,
                       networks: bool = True):  # fmt: skip
    """Slope over log2 of the classes and its interval, resampling the predicting networks, the images, or both.

    Parameters
    ----------
    classes : (targets,)
    values : (targets, predictors) universality of each pair; NaN where a network would predict itself.
    samples : (resamples, targets, predictors) the same on resamples of images; None: images are not resampled.
    networks : whether predictors are resampled.
    """
    rng, values = np.random.default_rng(seed), np.asarray(values, float)
    drawn = []
    for i in range(resamples):
        picked = values if samples is None else samples[i % len(samples)]
        if networks:
            picked = picked[:, rng.integers(0, values.shape[1], values.shape[1])]
        if np.isfinite(picked).any(axis=1).all():
            drawn.append(slope(classes, median_over_networks(picked)))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return slope(classes, median_over_networks(values)), float(low), float(high)
