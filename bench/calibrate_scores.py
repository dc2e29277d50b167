"""Permutation tests, intervals, comparisons of models and noise ceilings of RSA scores where the truth is known.

A world is a draw of images, and of subjects where they are random. Latent variables z (images, 12) drive model and
subjects through fixed weights; measurement noise is added to every response. What a score would be for infinitely many
images, or a ceiling for infinitely many subjects, is computed once from far larger draws.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from bench.calibration_page import HEADER, note, row
from brainscore_granularity import rsa, stats
from brainscore_granularity.report.answer import difference_variance
from brainscore_granularity.runner.record import N_RESAMPLED

LATENT, UNITS = 12, 60
SCALES = 1 / np.sqrt(np.arange(1, LATENT + 1))


@cache
def weights(which: int) -> np.ndarray:
    """Fixed weights (LATENT, UNITS) of a population of units."""
    return np.random.default_rng([2024, which]).normal(size=(LATENT, UNITS))


def latent(rng, images: int) -> np.ndarray:
    return rng.normal(size=(images, LATENT)) * SCALES


def units(rng, z, which: int, noise: float, own: float = 0.0) -> np.ndarray:
    """Responses (images, UNITS) of half-rectified units; ``own`` is the share of weights drawn afresh (a
    subject)."""
    w = weights(which) + own * rng.normal(size=(LATENT, UNITS))
    return np.maximum(z @ w, 0) + noise * rng.normal(size=(len(z), UNITS))


def score(rng, images: int = 2000) -> float:
    """Score of the model with one subject's measurement, for very many images."""
    z = latent(rng, images)
    return rsa.compare(rsa.rdm(units(rng, z, 0, 0.0)), rsa.rdm(units(rng, z, 1, 1.5)))


def population_score(rng, images: int = 1000) -> float:
    """Score of the model with one random subject, for many images."""
    z = latent(rng, images)
    return rsa.compare(rsa.rdm(units(rng, z, 0, 0.0)), rsa.rdm(units(rng, z, 1, 1.5, own=1.0)))


@cache
def truth(function, draws: int) -> float:
    return float(np.mean([function(np.random.default_rng([7, k])) for k in range(draws)]))


def permutation(seed: int, images: int = 40) -> bool:
    """Whether unrelated RDMs are called related at 5%."""
    rng = np.random.default_rng([1, seed])
    a, b = (rsa.rdm(units(rng, latent(rng, images), k, 0.5)) for k in (0, 1))
    return stats.permutation_test(a, b, n=999, seed=seed) <= 0.05


def best_layer(seed: int, images: int = 40, layers: int = 7) -> bool:
    """Whether the best of seven unrelated, mutually similar layers is called related at 5%."""
    rng = np.random.default_rng([2, seed])
    z = latent(rng, images)
    a = [rsa.rdm(units(rng, z, 0, 0.5 + k / 2)) for k in range(layers)]
    return stats.max_statistic(a, rsa.rdm(units(rng, latent(rng, images), 1, 0.5)), n=999, seed=seed).p_best <= 0.05


def interval(seed: int, images: int = 80, n: int = 1000) -> dict[str, bool]:
    """Whether each interval for new stimuli contains the score of infinitely many."""
    rng = np.random.default_rng([3, seed])
    z = latent(rng, images)
    a, b = rsa.rdm(units(rng, z, 0, 0.0)), rsa.rdm(units(rng, z, 1, 1.5))
    value, goal = rsa.compare(a, b), truth(score, 20)
    drawn = stats.bootstrap(a, b, n, fraction=None, seed=seed)
    part = stats.bootstrap(a, b, n, fraction=0.9, seed=seed)
    one = stats.two_factor(a, b, n, seed, factor="stimuli")
    intervals = {
        "percentile": stats.interval(drawn),
        "bca": stats.interval(drawn, method="bca", estimate=value, jackknife=stats.jackknife(a, b)),
        "subsample": stats.interval(part, method="subsample", estimate=value, fraction=0.9),
        "t": (one.low, one.high),
        "raw 90%": stats.interval(part),
    }
    return {name: bool(low <= goal <= high) for name, (low, high) in intervals.items()}


def two_factor(seed: int, images: int = 60, subjects: int = 8, n: int = 500) -> bool:
    """Whether the interval for new stimuli and new subjects contains the population's score."""
    rng = np.random.default_rng([4, seed])
    z = latent(rng, images)
    b = [rsa.rdm(units(rng, z, 1, 1.5, own=1.0)) for _ in range(subjects)]
    result = stats.two_factor(rsa.rdm(units(rng, z, 0, 0.0)), b, n, seed)
    return bool(result.low <= truth(population_score, 100) <= result.high)


def paired(seed: int, images: int = 60, subjects: int = 8, n: int = 500) -> bool:
    """Whether two models of equal merit are called different at 5%."""
    rng = np.random.default_rng([5, seed])
    z = latent(rng, images)
    b = [rsa.rdm(units(rng, z, 1, 1.5, own=1.0)) for _ in range(subjects)]
    models = (rsa.rdm(units(rng, z, 1, 0.7)) for _ in range(2))
    return stats.compare_models(*models, b, n, seed).p <= 0.05


def report(seed: int, images: int = 60, subjects: int = 8, n: int = N_RESAMPLED) -> dict[str, bool]:
    """Whether the report calls two models of equal merit different, from what their score files keep."""
    rng = np.random.default_rng([7, seed])
    z = latent(rng, images)
    b = np.stack([rsa.rdm(units(rng, z, 1, 1.5, own=1.0)) for _ in range(subjects)])
    models = [rsa.rdm(units(rng, z, 1, 0.7)) for _ in range(2)]
    values = [float(np.mean([rsa.compare(a, one) for one in b])) for a in models]
    drawn = [stats.bootstrap(a, b, n=n, fraction=None).reshape(n, -1).mean(axis=1) for a in models]
    one, other = ((x.std(ddof=1), x) for x in drawn)
    apart = abs(values[0] - values[1])

    def called(*pair):
        return bool(apart > 1.959964 * np.sqrt(difference_variance(*pair)[0]))

    return {"paired resamples": called(one, other), "as if independent": called((one[0], None), (other[0], None))}


def ceiling(seed: int, images: int = 60, subjects: int = 6, pool: int = 100) -> bool:
    """Whether the true model's score on these subjects lies between the bounds."""
    rng = np.random.default_rng([6, seed])
    z = latent(rng, images)
    everyone = np.stack([rsa.rdm(units(rng, z, 1, 1.5, own=0.5)) for _ in range(pool + subjects)])
    tested, true = everyone[:subjects], everyone[subjects:].mean(axis=0)
    low, high = stats.noise_ceiling(tested)
    return bool(low <= np.mean([rsa.compare(r, true) for r in tested]) <= high)


ROWS = [
    (permutation, "permutation test, 40 images: false positives at 5%", (3.5, 6.5)),
    (best_layer, "max-statistic over 7 layers, 40 images: false positives at 5%", (3.5, 6.5)),
    (interval, "{}: coverage of a 95% interval, 80 images", (93, 97)),
    (two_factor, "two-factor t interval, 60 images x 8 subjects: coverage of 95%", (93, 97)),
    (paired, "two equal models, 60 images x 8 subjects: false positives at 5%", (3.5, 6.5)),
    (report, "report, {}: two equal models on 60 images called different at 5%", (0, 6.5)),
    (ceiling, "noise ceiling, 6 subjects: true model between lower and upper", (90, 100)),
]
WARNINGS = {"raw 90%": "none: not an interval, shown as a warning"}


def section(worlds) -> str:
    """Markdown; worlds: `bench.worlds.Worlds`."""
    lines = [
        row(name.format(method), rate, worlds.worlds, WARNINGS.get(method, asked))
        for function, name, asked in ROWS
        for method, rate in worlds(function).items()
    ]
    return note("scores", worlds=f"{worlds.worlds:,}") + HEADER + "\n".join(lines) + "\n"
