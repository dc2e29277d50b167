"""Aligned but useless? Linear-probe and few-shot accuracy of a layer."""

from __future__ import annotations

import numpy as np
import pandas as pd

SHOTS = (1, 5, 10, 20)
ALPHAS = np.logspace(-1, 5, 7)


def linear_probe(features, labels, folds: int = 5, seed: int = 0) -> np.ndarray:
    """Whether a linear classifier, fitted without an image, predicts its class: (n,) bool.

    Ridge regression onto one target per class; features are z-scored on the other folds, and the penalty is chosen
    there by leave-one-out; folds are stratified by class.
    """
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, labels = checked(features, labels, folds)
    right = np.empty(len(x), bool)
    for fit, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(x, labels):
        classifier = make_pipeline(StandardScaler(), RidgeClassifierCV(ALPHAS))
        right[test] = classifier.fit(x[fit], labels[fit]).predict(x[test]) == labels[test]
    return right


def few_shot(features, labels, shots: int, episodes: int = 100, seed: int = 0) -> np.ndarray:
    """Accuracy (episodes,) of the nearest class mean, from ``shots`` images per class, on all other images.

    Cosine similarity after removing the mean of the support images. Accuracy is averaged over classes.
    """
    x, labels = checked(features, labels, shots + 1)
    classes, number = np.unique(labels, return_inverse=True)
    rng, found = np.random.default_rng(seed), np.empty(episodes)
    for episode in range(episodes):
        order = rng.permutation(len(x))
        order = order[np.argsort(number[order], kind="stable")]
        place = np.arange(len(x)) - np.searchsorted(number[order], number[order])  # within its class
        support, test = order[place < shots], order[place >= shots]
        centre = x[support].mean(axis=0)
        prototypes = unit(x[support].reshape(len(classes), shots, -1).mean(axis=1) - centre)
        right = (unit(x[test] - centre) @ prototypes.T).argmax(axis=1) == number[test]
        found[episode] = (np.bincount(number[test], right) / np.bincount(number[test])).mean()
    return found


def table(features, labels, shots=SHOTS, episodes: int = 100, resamples: int = 1000, seed: int = 0) -> pd.DataFrame:
    """One row per task (probe, 1-shot, ...): accuracy, 95% interval, chance, and accuracy with shuffled labels.

    The probe's interval is over test images. That of few-shot tasks is over episodes (draws of support images), which
    share images: it shows the effect of the support images, not the variation over new images.
    """
    rng = np.random.default_rng(seed)
    shuffled, chance = rng.permutation(np.asarray(labels)), 1 / len(np.unique(labels))
    fewest = int(np.unique(labels, return_counts=True)[1].min())
    folds = max(2, min(5, fewest))
    right = linear_probe(features, labels, folds, seed)
    means = rng.choice(right, (resamples, len(right))).mean(axis=1)
    null = linear_probe(features, shuffled, folds, seed).mean()
    rows = [{"task": "probe", "shots": np.nan, "accuracy": right.mean(), "null": null, **ends(means)}]
    for k in shots:
        found = few_shot(features, labels, k, episodes, seed)
        null = few_shot(features, shuffled, k, max(1, episodes // 4), seed).mean()
        rows.append({"task": f"{k}-shot", "shots": k, "accuracy": found.mean(), "null": null, **ends(found)})
    return pd.DataFrame(rows).assign(chance=chance)


def ends(samples) -> dict[str, float]:
    low, high = np.quantile(samples, [0.025, 0.975])
    return {"low": float(low), "high": float(high)}


def unit(x: np.ndarray) -> np.ndarray:
    """Scale rows to length 1; rows of zeros are kept."""
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(norm > 0, norm, 1)


def checked(features, labels, needed: int):
    """Features (n, d) and labels (n,), with at least ``needed`` images in every class."""
    x, labels = np.asarray(features, np.float64).reshape(len(features), -1), np.asarray(labels)
    if labels.shape != (len(x),):
        raise ValueError(f"expected one label for each of {len(x)} images, got {labels.shape}")
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2 or counts.min() < needed:
        raise ValueError(
            f"expected 2 classes or more with at least {needed} images each, got {len(classes)} classes, the "
            f"smallest of {counts.min()} images; take fewer shots or folds, or more images per class"
        )
    return x, labels
