"""Human and macaque on the same images: do they order networks alike, and what does a network share with one alone?

>>> a, b = np.array([[0.1, 0.2, 0.3, 0.4]]), np.array([[0.1, 0.3, 0.2, 0.4]])
>>> spearman(a, b).round(2), kendall(a, b).round(2)
(array([0.8]), array([0.67]))
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import norm, rankdata

from brainscore_granularity import rsa, stats
from brainscore_granularity.rsa.comparison import partial, ranked
from brainscore_granularity.stats.estimates import over_stimuli_at_least, with_student
from brainscore_granularity.stats.resampling import resamples, scores_on

FEWEST = 6  # networks; orders of fewer say next to nothing
PEOPLE_SPLITS = 100


def spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Rank correlation of the rows of a and b (rows, networks)."""
    a, b = (rankdata(x, axis=1) - (x.shape[1] + 1) / 2 for x in (a, b))
    return _cosines(a, b)


def kendall(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Kendall's tau-b of the rows of a and b (rows, networks)."""
    i, j = np.triu_indices(a.shape[1], 1)
    return _cosines(*(np.sign(x[:, i] - x[:, j]) for x in (a, b)))


def _cosines(a, b) -> np.ndarray:
    length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.divide((a * b).sum(axis=1), length, out=np.full(len(a), np.nan), where=length > 0)


class Kind(NamedTuple):
    """A rank correlation: its function, its error on Fisher's scale for n networks, and half a swap below 1."""

    of: object
    error: object
    most: object


KINDS = {
    # errors: Bonett & Wright (2000) and Fieller, Hartley & Pearson (1957)
    "spearman": Kind(spearman, lambda r, n: np.sqrt((1 + r**2 / 2) / (n - 3)), lambda n: 1 - 6 / (n**3 - n)),
    "kendall": Kind(kendall, lambda r, n: np.sqrt(0.437 / (n - 4)), lambda n: 1 - 2 / (n**2 - n)),
}


def orders(models, human, macaque, groups=None, n: int = 1000, seed: int = 0) -> list[dict]:
    """Do two species put networks in the same order?

    Parameters
    ----------
    models : (networks, images, images) RDMs.
    human, macaque : (subjects, images, images) RDMs of the same images.
    groups : (networks,) names; the scores of networks of one name are averaged and count as one. Default: all differ.

    Returns
    -------
    list of dict
        For "spearman" and "kendall": ``value``, and its 95% intervals for as many other ``images``, other ``networks``
        and ``both``; ``across``, the correlation of the order by human on a random half of the images with that by
        macaque on the other half, and its interval for both; beside it ``human`` and ``macaque``, the same within a
        species, which noise alone keeps below 1; and ``people`` (``monkeys``), the correlation between random halves of
        the subjects on all images, NaN for one subject.

    Notes
    -----
    On the same images chance helps a network with both species, because these are alike: networks of equal merit
    have a ``value`` above 0. Not so ``across``, on which claims should rest; half of the images make it smaller.
    Halves of the images have twice the error variance of all of them, so they vary about the value of all as this does
    about its expectation: their spread is the error over images. That over networks is Bonett & Wright's and Fieller's.
    The sum of both variances counts chance in single networks twice.
    """
    names, group = np.unique(np.arange(len(models)) if groups is None else groups, return_inverse=True)
    if len(names) < FEWEST:
        raise ValueError(f"expected at least {FEWEST} networks that differ in more than their seed, got {len(names)}")
    half = resamples(np.shape(models)[1], n, 0.5, seed)
    subjects = np.concatenate([human, macaque])
    counts = np.concatenate([np.ones_like(half[:1]), half, 1 - half])
    scores = _averaged(scores_on(np.asarray(models), subjects, counts), group)
    of = {"human": scores[..., : len(human)].mean(axis=2), "macaque": scores[..., len(human) :].mean(axis=2)}
    whole = {who: each[:1] for who, each in of.items()}
    one, other = ({who: each[rows] for who, each in of.items()} for rows in (slice(1, n + 1), slice(n + 1, None)))
    rows = []
    for name, kind in KINDS.items():
        value = float(kind.of(whole["human"], whole["macaque"])[0])
        halves = np.concatenate([kind.of(each["human"], each["macaque"]) for each in (one, other)])
        across = (kind.of(one["human"], other["macaque"]) + kind.of(other["human"], one["macaque"])) / 2
        rows.append(
            {"statistic": name, "networks": len(names), "value": value}
            | _intervals(value, halves, kind, len(names))
            | {who: float(np.nanmean(kind.of(one[who], other[who]))) for who in of}
            | _across(float(np.nanmean(across)), halves, kind, len(names))
            | {"people": _between_subjects(scores[0, :, : len(human)], kind, seed)}
            | {"monkeys": _between_subjects(scores[0, :, len(human) :], kind, seed)}
        )
    return rows


def _averaged(scores, group) -> np.ndarray:
    """(resamples, networks, subjects): mean scores of the networks of each group."""
    members = np.eye(group.max() + 1)[:, group]
    return np.einsum("gm,rms->rgs", members / members.sum(axis=1, keepdims=True), scores)


def _intervals(value: float, halves: np.ndarray, kind: Kind, n: int) -> dict[str, float]:
    centre, over_images, over_networks = _errors(value, halves, kind, n)
    errors = {"images": over_images, "networks": over_networks, "both": np.hypot(over_images, over_networks)}
    return {f"{what}_{end}": float(np.tanh(centre + sign * norm.ppf(0.975) * error))
            for what, error in errors.items() for end, sign in (("low", -1), ("high", 1))}  # fmt: skip


def _across(value: float, halves: np.ndarray, kind: Kind, n: int) -> dict[str, float]:
    ends = _intervals(value, halves, kind, n)
    return {"across": value, "across_low": ends["both_low"], "across_high": ends["both_high"]}


def _errors(value: float, halves: np.ndarray, kind: Kind, n: int) -> tuple[float, float, float]:
    """On Fisher's scale: value, its error over images and over networks. Agreement of all counts as half a swap."""
    centre, *drawn = np.arctanh(np.clip([value, *halves[np.isfinite(halves)]], -kind.most(n), kind.most(n)))
    return float(centre), float(np.std(drawn, ddof=1)), float(kind.error(np.tanh(centre), n))


def _between_subjects(scores: np.ndarray, kind: Kind, seed: int) -> float:
    """Mean correlation of the networks' orders between random halves of the subjects; scores (networks, subjects)."""
    subjects = scores.shape[1]
    if subjects < 2:
        return float("nan")
    rng, found = np.random.default_rng(seed), []
    for _ in range(PEOPLE_SPLITS):
        order = rng.permutation(subjects)
        first, second = order[: subjects // 2], order[subjects // 2 : 2 * (subjects // 2)]
        found.append(kind.of(scores[None, :, first].mean(axis=2), scores[None, :, second].mean(axis=2))[0])
    return float(np.nanmean(found))


def pooled(subjects) -> np.ndarray:
    """One RDM of a species: the mean of its subjects' ranks; of one subject, its own."""
    return np.asarray(subjects[0], float) if len(subjects) == 1 else np.mean([ranked(own) for own in subjects], axis=0)


def partials(models, own, other, n: int = 1000, seed: int = 0) -> list[dict]:
    """What networks share with one species beyond what they share with the other: partial rank correlation of RDMs.

    Parameters
    ----------
    models : (networks, images, images) RDMs.
    own : (subjects, images, images) RDMs of a species; correlations are averaged over its subjects.
    other : (images, images) RDM of the other species, partialled out of both sides; see `pooled`.

    Returns
    -------
    list of dict
        A network each: ``rsa``, ``partial`` with ``low``, ``high`` and ``p`` for other images (bootstrap and jackknife,
        as in `stats.two_factor`), and ``gone_at``.

    Notes
    -----
    A partial correlation above 0 does not show structure that one species has alone. The other species' RDM holds,
    beside what both share, noise and structure of its own, so it does not take out all that is shared. ``gone_at`` is
    r(model, other) r(own, other) / r(model, own): if this share of its variance is what both species have, a network
    with nothing else would show this partial correlation. NaN where there is nothing to explain.
    """
    a, b = np.concatenate([models, other[None]]), np.concatenate([own, other[None]])
    images = a.shape[1]
    counts = {
        "whole": np.ones((1, images), np.int32),
        "drawn": resamples(images, n, None, seed),
        "left": 1 - np.eye(images, dtype=np.int32),
    }
    found, simple = {}, None
    for what, rows in counts.items():
        scores = scores_on(a, b, rows)
        with_own, with_other, between = scores[:, :-1, :-1], scores[:, :-1, -1:], scores[:, -1:, :-1]
        found[what] = partial(with_own, with_other, between).mean(axis=2)
        if what == "whole":
            simple = with_own[0].mean(axis=1)
            shared = (with_other * between)[0].mean(axis=1)
    rows = []
    for i, value in enumerate(found["whole"][0]):
        drawn, left = found["drawn"][:, i], found["left"][:, i]
        variance = over_stimuli_at_least(drawn[np.isfinite(drawn)], left)
        _, _, low, high, p, _ = with_student(float(value), variance, images - 1, 0.95)
        gone = float(shared[i] / simple[i]) if simple[i] > 0 else np.nan
        rows.append({"rsa": float(simple[i]), "partial": float(value), "low": low, "high": high, "p": p,
                     "gone_at": gone})  # fmt: skip
    return rows


def partial_ceiling(own, other) -> tuple[float, float]:
    """Lower and upper bound on `partials` of any model: each subject with the pool of the others, and with that of all.

    NaN with one subject.
    """
    if len(own) < 2:
        return float("nan"), float("nan")
    ranks = [ranked(each) for each in own]
    total = np.sum(ranks, axis=0)
    lower = np.mean([rsa.compare(each, total - mine, control=other) for each, mine in zip(own, ranks, strict=True)])
    return float(lower), float(np.mean([rsa.compare(each, total, control=other) for each in own]))


def direct(human, macaque, n: int = 1000, seed: int = 0) -> dict:
    """How alike the species' RDMs are: mean over people of the correlation with the macaque RDM, for other images.

    ``mean_rdm`` is that of the mean RDMs, as usually published; ``human_lower`` to ``macaque_upper`` are the noise
    ceilings of each species, NaN with one subject.
    """
    found = stats.two_factor(pooled(macaque), np.asarray(human), n, seed, factor="stimuli")
    mean = rsa.compare(np.mean(human, axis=0), np.mean(macaque, axis=0))
    row = {"rsa": found.value, "low": found.low, "high": found.high, "mean_rdm": mean}
    for who, subjects in (("human", human), ("macaque", macaque)):
        bounds = stats.noise_ceiling(subjects, pool="rank") if len(subjects) > 1 else (np.nan, np.nan)
        reliability = stats.split_half([ranked(each) for each in subjects]) if len(subjects) > 1 else np.nan
        row |= {f"{who}_subjects": len(subjects), f"{who}_lower": float(bounds[0]), f"{who}_upper": float(bounds[1]),
                f"{who}_reliability": reliability}  # fmt: skip
    return row
