"""Odd-one-out worlds with a known truth, for bench.calibrate: sparse and dense triplets, effects of several sizes.

A world is a draw of images; the triplets are drawn without looking at them. In the first kind, a model is right with a
probability that is 1/2 plus effects of the three images and of the three pairs (uniform, mean 0): the true accuracy is
1/2. In the second, people choose by a softmax over similarities in a space of 12 dimensions and models see its images
with noise; the truth is the mean over 2.4 million triplets of 7.2 million other images. Two such models with noise of
one size are equally good.
"""

from __future__ import annotations

from functools import cache, lru_cache, partial

import numpy as np

from bench.calibrate_scores import LATENT, SCALES
from bench.calibration_page import HEADER, note, row
from brainscore_granularity import stats
from brainscore_granularity.report.answer import difference_variance
from brainscore_granularity.runner.record import N_RESAMPLED

EFFECTS = {  # largest effect of an image and of a pair on the probability to be right
    "no effect of images": (0.0, 0.0),
    "small effects of images": (0.03, 0.0),
    "large effects of images": (0.15, 0.0),
    "effects of pairs": (0.0, 0.15),
    "effects of both": (0.06, 0.09),
}
TEMPERATURE, NOISE = 0.7, 0.8
MANY = 100_000  # triplets whose design is drawn once, and which have fewer worlds
FEWER = 0.3


@lru_cache(maxsize=8)
def design(images: int, triplets: int, which: int) -> stats.Overlaps:
    """Triplets of different images, drawn with replacement."""
    rng = np.random.default_rng([31, images, triplets, which])
    rows = rng.integers(0, images, (triplets, 3))
    while (again := (rows == np.roll(rows, 1, axis=1)).any(axis=1)).any():
        rows[again] = rng.integers(0, images, (again.sum(), 3))
    return stats.Overlaps(rows, images)


def odd_one_out(seed: int, images: int, triplets: int) -> dict[str, bool]:
    """Whether the interval of each world contains its truth, and whether two equal models are not told apart."""
    overlaps = design(images, triplets, 0 if triplets >= MANY else seed % 8)
    rng = np.random.default_rng([42, seed, images])
    found = {}
    for name, (image, pair) in EFFECTS.items():
        found[name] = _holds(_right(rng, overlaps, image, pair), overlaps, 0.5)
    people, models = _geometry(rng, overlaps.rows, images)
    correct = [accuracy(model, overlaps.rows, people) for model in models]
    found["choices by similarity"] = _holds(correct[0], overlaps, truth())
    difference = stats.triplet_mean(correct[0] - correct[1], overlaps)
    found["difference of two equal models"] = difference.low <= 0 <= difference.high
    kept = [(0.0, np.stack(overlaps.resampled(x, N_RESAMPLED))) for x in correct]
    reach = 1.959964 * np.sqrt(difference_variance(*kept)[0])
    found["difference of two equal models, as the report does"] = bool(abs(difference.value) <= reach)
    return found


def _holds(values, overlaps, goal: float) -> bool:
    found = stats.triplet_mean(values, overlaps)
    return bool(found.low <= goal <= found.high)


def _right(rng, overlaps, image: float, pair: float) -> np.ndarray:
    """(t,) whether a model is right, 0 or 1."""
    effects = rng.uniform(-image, image, overlaps.images)
    of_pairs = rng.uniform(-pair, pair, len(overlaps.pairs[0]))
    p = 0.5 + effects[overlaps.rows].sum(axis=1) + of_pairs[overlaps.pair_rows].sum(axis=0)
    return (rng.random(len(p)) < p).astype(float)


def choices(rng, rows, images: int) -> tuple[np.ndarray, np.ndarray]:
    """Latent variables (images, LATENT), and which position people call odd, (t,)."""
    z = rng.normal(size=(images, LATENT)) * SCALES
    logits = _similarities(z, rows) / TEMPERATURE
    return z, (logits + rng.gumbel(size=logits.shape)).argmax(axis=0)  # a draw from the softmax


def _geometry(rng, rows, images: int):
    """Which position people call odd, (t,), and the features of two models."""
    z, odd = choices(rng, rows, images)
    return odd, [z + NOISE * rng.normal(size=z.shape) * SCALES for _ in range(2)]


def _similarities(z, rows) -> np.ndarray:
    """(3, t) similarity of the pair that is left when each position is taken out."""
    a, b, c = (z[column] for column in rows.T)
    return np.stack([(b * c).sum(axis=1), (a * c).sum(axis=1), (a * b).sum(axis=1)])


def accuracy(features, rows, odd) -> np.ndarray:
    """(t,) whether features make people's choice, 0 or 1."""
    return (_similarities(features, rows).argmax(axis=0) == odd).astype(float)


@cache
def truth(triplets: int = 200_000, draws: int = 12) -> float:
    """Accuracy of such a model where no two triplets share an image."""
    rows, found = np.arange(3 * triplets).reshape(-1, 3), []
    for draw in range(draws):
        odd, models = _geometry(np.random.default_rng([9, draw]), rows, 3 * triplets)
        found += [accuracy(model, rows, odd).mean() for model in models]
    return float(np.mean(found))


DESIGNS = [  # dense and sparse: 47, 3 and 728 triplets an image
    {"images": 256, "triplets": 4000},
    {"images": 1800, "triplets": 2000},
    {"images": 1854, "triplets": 450_000},
]


def section(worlds) -> str:
    """Markdown; worlds: `bench.worlds.Worlds`."""
    truth()  # once, before there are several processes
    lines = []
    for own in DESIGNS:
        some = worlds.times(FEWER if own["triplets"] >= MANY else 1)
        for name, rate in some(partial(odd_one_out, **own)).items():
            what = f"{own['triplets']:,} triplets on {own['images']:,} images, {name}: coverage of 95%"
            lines.append(row(what, rate, some.worlds, (93, 97)))
    fewer = worlds.times(FEWER).worlds
    error = 100 * np.sqrt(0.95 * 0.05 / fewer)
    numbers = {"worlds": f"{worlds.worlds:,}", "fewer": f"{fewer:,}", "error": error}
    return note("odd_one_out", **numbers) + HEADER + "\n".join(lines) + "\n"
