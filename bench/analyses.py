"""Universality against scikit-learn: one RidgeCV a target and fold, on the same folds, penalties and criterion.

    python -m bench.analyses

20 networks of 500 principal components each and 1,000 images: every network's 384 channels predict the 9,500 components
of the others, in five folds, the penalty of each target chosen by the Pearson r of leave-one-out predictions. Ours is
timed on one predicting network with all of its 9,500 targets, scikit-learn on some of these targets; both are scaled to
the whole, which the line says. scikit-learn refuses a penalty of 0, so both sides leave it out here.
"""

from __future__ import annotations

import time

import numpy as np
from scipy.stats import pearsonr

from bench.rsa import line
from brainscore_granularity.analysis.measures import universality as u

NETWORKS, COMPONENTS, IMAGES, CHANNELS = 20, 500, 1000, 384
THEIRS = 6  # targets that scikit-learn is timed on


def networks(seed: int = 0):
    """Channels (images, CHANNELS) of one network, components (images, 9,500) of the others, that share dimensions."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(IMAGES, 200)) * np.arange(1, 201) ** -0.5
    x = shared @ rng.normal(size=(200, CHANNELS)) + 0.3 * rng.normal(size=(IMAGES, CHANNELS))
    y = [
        shared @ rng.normal(size=(200, COMPONENTS)) * np.arange(1, COMPONENTS + 1) ** -0.5
        + 0.5 * rng.normal(size=(IMAGES, COMPONENTS))
        for _ in range(NETWORKS - 1)
    ]
    return x, np.concatenate(y, axis=1)


def by_sklearn(x, y, folds) -> list[float]:
    """Held-out r of each target as most would compute it."""
    from sklearn.linear_model import RidgeCV
    from sklearn.metrics import make_scorer

    pearson = make_scorer(lambda truth, prediction: pearsonr(truth, prediction)[0])
    found = []
    for target in y.T:
        r = []
        for test in folds:
            fit = np.setdiff1d(np.arange(len(x)), test)
            ridge = RidgeCV([alpha for alpha in u.ALPHAS if alpha], scoring=pearson).fit(x[fit], target[fit])
            r.append(pearsonr(ridge.predict(x[test]), target[test])[0])
        found.append(np.mean(r))
    return found


def universality() -> None:
    x, y = networks()
    alphas = [alpha for alpha in u.ALPHAS if alpha]
    u.held_out_r(x, y[:, :50], alphas)
    wall, processor = time.perf_counter(), time.process_time()
    found = u.held_out(x, y, alphas)
    wall, processor = (end - start for end, start in ((time.perf_counter(), wall), (time.process_time(), processor)))
    some = np.random.default_rng(1).choice(y.shape[1], THEIRS, replace=False)
    their_wall, their_processor = time.perf_counter(), time.process_time()
    expected = by_sklearn(x, y[:, some], found.folds)
    their_wall, their_processor = time.perf_counter() - their_wall, time.process_time() - their_processor
    scale = NETWORKS * y.shape[1] / THEIRS
    difference = np.abs(found.r[some] - expected).max()
    line(
        f"universality, {NETWORKS} networks x {COMPONENTS} components x {IMAGES:,} images",
        f"one RidgeCV a target and fold ({THEIRS} of {NETWORKS * y.shape[1]:,} targets timed)",
        their_wall * scale,
        wall * NETWORKS,
        20,
        f"1 of {NETWORKS} networks timed; processor time {their_processor * scale:.3g} s and "
        f"{processor * NETWORKS:.3g} s, {their_processor * scale / (processor * NETWORKS):.3g}x; largest difference "
        f"{difference:.0e}",
    )


if __name__ == "__main__":
    universality()
