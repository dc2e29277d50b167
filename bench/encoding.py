"""Ridge encoding against scikit-learn and himalaya, on the same folds and penalties.

    python -m bench.encoding

As large as a session of macaque V4: 1,200 images, 89 units, and a layer of 20,000 features. Noise serves as features:
the cost does not depend on it. scikit-learn's RidgeCV chooses penalties by leave-one-out as we do, for all units at
once or in a loop over them; himalaya's KernelRidgeCV by 5 inner folds, since by leave-one-out it would decompose 960
matrices a fold. Seconds are of the processor; the line has the ratio on the clock too.
"""

from __future__ import annotations

import time

import numpy as np

from bench.rsa import line
from brainscore_granularity.rsa import encoding
from brainscore_granularity.rsa.gram import gram_of

IMAGES, UNITS, FEATURES, FOLDS = 1200, 89, 20_000, encoding.FOLDS
LOOPED = 2  # units of the loop that are timed
WHAT = f"ridge encoding, {IMAGES:,} images x {FEATURES:,} features, {UNITS} units, {FOLDS} folds"


def main() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(IMAGES, FEATURES)).astype(np.float32)
    y = x[:, :200] @ rng.normal(size=(200, UNITS)) + 20 * rng.normal(size=(IMAGES, UNITS))
    fold = encoding.fold_of_images(IMAGES)
    alphas = encoding.ALPHAS * FEATURES
    few = fold[:100]
    for predict in (cross_predicted, by_sklearn, by_himalaya):  # imports and compiles
        predict(x[:100, :200], y[:100], few, alphas)
    ours = timed(cross_predicted, x, y, fold, alphas)
    at_once = timed(by_sklearn, x, y, fold, alphas)
    looped = [timed(by_sklearn, x, y[:, [unit]], fold, alphas) for unit in range(LOOPED)]
    by_folds = timed(by_himalaya, x, y, fold, alphas)
    r, theirs, himalaya = (encoding.correlations(each[0], y, fold) for each in (ours, at_once, by_folds))
    compare(
        "scikit-learn's RidgeCV, all units at once", at_once[1:], ours, f"r equal to {np.abs(r - theirs).max():.0e}"
    )
    scaled = [sum(each[k] for each in looped) / LOOPED * UNITS for k in (1, 2)]
    compare(f"the same, a unit at a time ({LOOPED} of {UNITS} timed and scaled)", scaled, ours, "")
    mean = abs(r.mean() - himalaya.mean())
    compare("himalaya's KernelRidgeCV, 5 inner folds", by_folds[1:], ours, f"mean r equal to {mean:.0e}")


def compare(against: str, theirs, ours, note: str) -> None:
    """Print a row: seconds of the processor, and the ratio on the clock."""
    clock = f"on the clock {theirs[1] / ours[2]:.3g}x"
    line(WHAT, against, theirs[0], ours[1], 1, f"{clock}; {note}" if note else clock)


def timed(work, *arguments):
    """Result, seconds of the processor, seconds on the clock."""
    wall, processor = time.perf_counter(), time.process_time()
    return work(*arguments), time.process_time() - processor, time.perf_counter() - wall


def cross_predicted(x, y, fold, alphas) -> np.ndarray:
    gram = gram_of(lambda start, stop: x[:, start:stop], *x.shape, "columns", single=True)
    return encoding.cross_predict(gram.matrix, y, fold, alphas).values


def by_sklearn(x, y, fold, alphas) -> np.ndarray:
    from sklearn.linear_model import RidgeCV

    predicted = np.empty(y.shape)
    for k in range(FOLDS):
        model = RidgeCV(alphas, alpha_per_target=y.shape[1] > 1).fit(x[fold != k].astype(np.float64), y[fold != k])
        predicted[fold == k] = model.predict(x[fold == k]).reshape(-1, y.shape[1])
    return predicted


def by_himalaya(x, y, fold, alphas) -> np.ndarray:
    from himalaya.kernel_ridge import KernelRidgeCV

    predicted = np.empty(y.shape)
    for k in range(FOLDS):
        model = KernelRidgeCV(alphas, fit_intercept=True, cv=5, warn=False)
        model.fit(x[fold != k].astype(np.float64), y[fold != k])
        predicted[fold == k] = model.predict(x[fold == k].astype(np.float64))
    return predicted


if __name__ == "__main__":
    main()
