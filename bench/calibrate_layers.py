"""Layers that are chosen on one half of the images and scored on the other, where the truth is known.

A world is a draw of images, with two models of 14 layers that are equally good; the first seven are models, too. RDMs:
layers and one subject see the latent variables of `calibrate_scores` through fixed weights, with noise. Odd-one-out:
people choose 2,000 times by a softmax over similarities of 12 latent variables, and layers see those with noise. Layers
are tied, all with the same noise, or not: then five of seven are nearly equally good and two are not.

What a procedure scores on average over images is the mean of its values over all other worlds of a row.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.stats import norm

from bench.calibrate_scores import SCALES, latent, units
from bench.calibrate_triplets import accuracy, choices, design
from bench.calibration_page import HEADER, note, row
from brainscore_granularity import rsa, stats
from brainscore_granularity.report.answer import difference_variance
from brainscore_granularity.stats import choice_error, layer_choice
from brainscore_granularity.stats.choice_error import OfPairs

SIZES, LAYERS, CHOICES = (40, 60, 80), (7, 14), 2000
NOT_TIED = np.array([0.9, 1.0, 1.0, 1.05, 1.1, 2.0, 3.0])
NOISE = {"tied": np.ones(14), "not tied": np.tile(NOT_TIED, 2)}
OF_CHOICES = 0.75  # times that noise for odd-one-out
ASKED = {"coverage": (93, 97), "different": (3, 7), "report": (0, 7)}


def of_rdms(rng, images: int, noise, models: int = 2, related: bool = True) -> list:
    """A scorer of all layers for each model, all of the same images and the same subject."""
    z = latent(rng, images)
    seen = z if related else latent(rng, images)
    a = [[rsa.rdm(units(rng, seen, 10 + k, x)) for k, x in enumerate(noise)] for _ in range(models)]
    b = rsa.rdm(units(rng, z, 1, 1.5))
    return [_remembered(stats.rdm_scorer(np.stack(layers), b)) for layers in a]


def of_choices(rng, seed: int, images: int, noise, triplets: int = CHOICES, models: int = 2) -> list:
    """The same for odd-one-out: scorers of models whose layers see the images of the same choices with noise."""
    overlaps = design(images, triplets, seed % 8)
    z, odd = choices(rng, overlaps.rows, images)
    seen = [[z + OF_CHOICES * x * rng.normal(size=z.shape) * SCALES for x in noise] for _ in range(models)]
    return [stats.TripletScorer([accuracy(x, overlaps.rows, odd) for x in layers], overlaps) for layers in seen]


def judged(seed: int, measure: str, images: int, kind: str) -> dict[int, tuple]:
    """{layers: (value, low, high of a model, whether two are called different at 5%, whether the report does so)}."""
    rng = np.random.default_rng([43, seed, images, len(measure), len(kind)])
    if measure == "RDMs":
        scorers = of_rdms(rng, images, NOISE[kind])
    else:
        scorers = of_choices(rng, seed, images, NOISE[kind])
    return {layers: _judged([_first(scorer, layers, images) for scorer in scorers], images) for layers in LAYERS}


def _judged(scorers, images: int) -> tuple:
    draws = [layer_choice.drawn(scorer, images, stats.SPLITS) for scorer in scorers]
    one, other = (layer_choice.estimated(drawn, scorer, images) for drawn, scorer in zip(draws, scorers, strict=True))
    difference = layer_choice.estimated(choice_error.summed(draws, [1, -1]), scorers[0], images)
    kept = [(x.error, np.stack([x.resampled, x.surplus])) for x in (one, other)]
    reach = 1.959964 * np.sqrt(difference_variance(*kept)[0])
    return one.value, one.low, one.high, difference.p <= 0.05, abs(one.value - other.value) > reach


def _first(scorer, layers: int, images: int):
    """A scorer of the first layers of a model."""
    if isinstance(scorer, stats.TripletScorer):
        return stats.TripletScorer(scorer.correct[:layers], scorer.overlaps)
    return OfPairs(lambda counts: scorer(counts)[:, :layers], images)


def _remembered(scorer):
    """A scorer that does not score the same counts twice."""
    known: dict = {}

    def scores(counts):
        key = np.asarray(counts).tobytes()
        if key not in known:
            known[key] = scorer(counts)
        return known[key]

    return scores


def covered(answers) -> float:
    """Percentage of worlds whose interval contains the mean of the other worlds' values.

    >>> covered([(0, -1, 1), (1, 0.5, 2), (2, 0, 1), (3, 2, 4)])
    25.0
    """
    if len(answers) < 2:
        raise ValueError(
            "expected at least 2 worlds, since the mean of the others is the truth: give --worlds 7 or more"
        )
    value, low, high = np.array([answer[:3] for answer in answers], float).T
    truth = (value.sum() - value) / (len(value) - 1)
    return 100 * float(np.mean((low <= truth) & (truth <= high)))


def layers_of_noise(seed: int, images: int = 40) -> dict[str, bool]:
    """Whether layers without any relation to the subject are said to have one: held out, and the best of all."""
    (scorer,) = of_rdms(np.random.default_rng([9, seed]), images, NOT_TIED, models=1, related=False)
    chosen = stats.cross_validate(scorer, images, splits=100, pairs=2)
    best = scorer(np.ones((1, images), np.int32)).max()
    return {"cross-validated": bool(chosen.value > 0), "best layer": bool(best > 0)}


def section(worlds) -> str:
    """Markdown; worlds: `bench.worlds.Worlds`."""
    fewer = worlds.times(0.3)
    lines = [f"| scores of | images | layers | layers are | {' | '.join(COLUMNS)} |", "|" + "---|" * (4 + len(COLUMNS))]
    pooled: dict = {}
    for measure in ("RDMs", "odd-one-out"):
        for images in SIZES:
            for kind in NOISE:
                found = fewer.answers(
                    partial(judged, measure=measure, images=images, kind=kind), title=f"{measure}, {images}, {kind}"
                )
                for layers in LAYERS:
                    rates = _rates([answer[layers] for answer in found])
                    pooled.setdefault((measure, layers), []).append(rates)
                    cells = [_cell(name, rate) for name, rate in rates.items()]
                    lines.append(f"| {measure} | {images} | {layers} | {kind} | {' | '.join(cells)} |")
    for (measure, layers), rates in pooled.items():
        means = {name: float(np.mean([one[name] for one in rates])) for name in ASKED}
        cells = [_cell(name, rate) for name, rate in means.items()]
        lines.append(f"| {measure} | all | {layers} | both | {' | '.join(cells)} |")
    noise = [
        row(f"{name}, 7 layers unrelated to the subject, 40 images: score above 0", rate, worlds.worlds, OF_NOISE[name])
        for name, rate in worlds(layers_of_noise).items()
    ]
    table = "\n".join(lines) + "\n\n" + HEADER + "\n".join(noise) + "\n"
    error = np.sqrt(0.05 * 0.95 / fewer.worlds)
    outside = 2 * norm.sf(0.02 / error)
    return note("layers", worlds=f"{fewer.worlds:,}", error=100 * error, one_in=round(1 / outside)) + table


COLUMNS = ("95% interval covers", "equal models called different", "the same by the report's rule")
OF_NOISE = {"cross-validated": (45, 55), "best layer": "none: the search is not held, shown as a warning"}


def _rates(answers) -> dict[str, float]:
    different, report = (100 * float(np.mean([answer[k] for answer in answers])) for k in (3, 4))
    return {"coverage": covered(answers), "different": different, "report": report}


def _cell(name: str, rate: float) -> str:
    low, high = ASKED[name]
    return f"{rate:.1f}%" if low <= round(rate, 3) <= high else f"**{rate:.1f}%**"
