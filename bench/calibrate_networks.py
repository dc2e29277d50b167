"""Networks as a random factor: does `agreement` find effects of K that are not there, and those that are?

Their tables: `bench/networks_section.py`.

A world is a ladder of K = 2 to 64 with 1, 3 or 5 seeds, scored by 16 judges, 4 fMRI subjects and one pooled population,
as the benchmarks on the 92 images are. Every network has something of its own, normal with a given sd, 70% of whose
variance all scales share. Means, sds of subjects and of a subject's judgment of one network are about those of the
shipped networks.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.calibrate_scores import latent, units
from brainscore_granularity import rsa, stats
from brainscore_granularity.analysis.measures.agreement import pairs as curves_together
from brainscore_granularity.stats.ladder import Ladder

KS = (2, 4, 8, 16, 32, 64)
SDS, SEEDS = (0.0, 0.005, 0.01, 0.02), (1, 3, 5)
SHARED = 0.7


class Scale(NamedTuple):
    subjects: int
    mean: float
    between: float  # sd of subjects
    own: float  # sd of a subject's score of one network


SCALES = {"judgments": Scale(16, 0.17, 0.047, 0.011), "fMRI": Scale(4, 0.14, 0.061, 0.022),
          "spiking": Scale(1, 0.24, 0.0, 0.010)}  # fmt: skip


class World(NamedTuple):
    k: np.ndarray  # (networks,)
    seed: np.ndarray
    scores: dict[str, np.ndarray]  # {scale: (networks, subjects)}


def world(rng, sd: float, seeds: int, effect=None, varied: float = 0.0) -> World:
    """Scores of one study.

    effect : (6,), what each K adds to every score.
    varied : sd over subjects of their own slopes a doubling, of mean 0.
    """
    k, seed = np.tile(KS, seeds), np.repeat(np.arange(seeds), len(KS))
    shared, scores = rng.normal(size=len(k)), {}
    for name, scale in SCALES.items():
        own = sd * (np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * rng.normal(size=len(k)))
        own = own + (0 if effect is None else np.tile(effect, seeds))
        slopes = varied * rng.normal(size=scale.subjects) * (np.log2(k) - 3.5)[:, None]
        noise = scale.own * rng.normal(size=(len(k), scale.subjects))
        scores[name] = scale.mean + scale.between * rng.normal(size=scale.subjects) + own[:, None] + slopes + noise
    return World(k, seed, scores)


def long_table(drawn: World) -> pd.DataFrame:
    """The table that `agreement` takes."""
    parts = [
        pd.DataFrame({"scale": name, "subject": f"s{j}", "seed": drawn.seed, "k": drawn.k, "score": scores[:, j]})
        for name, scores in drawn.scores.items()
        for j in range(scores.shape[1])
    ]
    return pd.concat(parts, ignore_index=True)


@cache
def of_seeds(seeds: int) -> Ladder:
    return Ladder(np.tile(KS, seeds), np.repeat(np.arange(seeds), len(KS)))


def found(seed: int, sd: float, seeds: int, effect=None, varied: float = 0.0) -> dict[str, bool]:
    """What is significant at 5% in one world, and whether a slope's interval contains the planted one."""
    rng = np.random.default_rng([9, seed, seeds, int(1e5 * sd), int(1e5 * varied)])
    drawn = world(rng, sd, seeds, effect, varied)
    ladder, out = of_seeds(seeds), {}
    slopes = {name: ladder.slope(scores) for name, scores in drawn.scores.items()}
    out |= {f"slope, {name}": slopes[name].p <= 0.05 for name in ("judgments", "fMRI")}
    relative = [scores / scores.mean() for scores in drawn.scores.values()]
    out["slopes differ"] = ladder.equal(relative).p <= 0.05
    if ladder.replicated:
        out |= {f"any K, {name}": ladder.effect(drawn.scores[name]).p <= 0.05 for name in ("judgments", "fMRI")}
    true = 0.0 if effect is None else float(np.polyfit(np.log2(KS), effect, 1)[0])
    out |= {f"covered, {name}": slopes[name].low <= true <= slopes[name].high for name in ("judgments", "fMRI")}
    return {name: bool(value) for name, value in out.items()}


def together(seed: int, sd: float, seeds: int) -> bool:
    """Whether curves of judgments and spiking are said to go together because of K."""
    data = long_table(world(np.random.default_rng([10, seed, seeds, int(1e5 * sd)]), sd, seeds))
    data = data[data["scale"] != "fMRI"].assign(labels="own", relative=lambda t: t["score"])
    return bool(curves_together(data, 199, seed)["p"].iloc[0] <= 0.05)


def shuffled(seed: int, sd: float, seeds: int, n: int = 999) -> dict[str, bool]:
    """The slope tested with K shuffled within seeds: an exact alternative, for comparison."""
    rng = np.random.default_rng([9, seed])
    drawn, out = world(rng, sd, seeds), {}
    x = np.log2(KS) - np.mean(np.log2(KS))
    orders = rng.permuted(np.tile(x, (n, seeds, 1)), axis=2)
    for name in ("judgments", "fMRI"):
        y = drawn.scores[name].mean(axis=1).reshape(seeds, -1)
        value, null = abs((y @ x).sum()), np.abs(np.einsum("nsk,sk->n", orders, y))
        out[name] = bool(((null >= value - 1e-12).sum() + 1) / (n + 1) <= 0.05)
    return out


def mixed(seed: int, sd: float, seeds: int, networks: bool) -> dict[str, bool]:
    """Wald z of a mixed model with random subjects and seeds, with or without random networks: for comparison."""
    import warnings

    import statsmodels.formula.api as smf

    data, out = long_table(world(np.random.default_rng([9, seed]), sd, seeds)), {}
    random = {"subject": "0 + C(subject)"} | ({"seed": "0 + C(seed)"} if seeds > 1 else {})
    random |= {"network": "0 + C(network)"} if networks else {}
    for name in ("judgments", "fMRI"):
        own = data[data["scale"] == name].assign(
            doublings=lambda t: np.log2(t["k"].astype(float)), network=lambda t: 100 * t["seed"] + t["k"],
            score=lambda t: t["score"] / t["score"].mean(),
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = smf.mixedlm("score ~ doublings", own, groups=np.ones(len(own)), vc_formula=random)
            fitted = model.fit(reml=False, method=["lbfgs", "powell"])
        out[name] = bool(fitted.pvalues["doublings"] <= 0.05)
    return out


def equivalent_at_the_margin(seed: int, seeds: int = 5, sd: float = 0.01, share: float = 0.25) -> dict[str, bool]:
    """Whether conditions that differ by just the margin are called equivalent at 5%."""
    rng = np.random.default_rng([11, seed])
    brings, of_seed = 0.08, rng.normal(0, sd, seeds)
    native, other = (0.19 + of_seed + rng.normal(0, sd / 4, seeds) for _ in range(2))
    untrained = 0.19 - brings + of_seed + rng.normal(0, sd, seeds)
    first = other - share * brings
    separate = 0.19 + rng.normal(0, sd / 4, seeds + 2)
    found = {
        "fixed margin": stats.equivalence(first, native, share * brings),
        "estimated margin": stats.equivalence(first, native, share=share, scale=native - untrained),
        "other seeds, fixed margin": stats.equivalence(first - of_seed, separate, share * brings, paired=False),
    }
    return {name: bool(one.p < 0.05) for name, one in found.items()}


def equal_rules(seed: int, seeds: int = 5, images: int = 60, subjects: int = 4, n: int = 300) -> dict[str, bool]:
    """Whether two learning rules of equal merit are called different at 5%, with networks random and fixed."""
    rng = np.random.default_rng([12, seed])
    z = latent(rng, images)
    b = [rsa.rdm(units(rng, z, 1, 1.5, own=0.5)) for _ in range(subjects)]
    networks = [rsa.rdm(units(rng, z, 1, 0.3, own=1.0)) for _ in range(2 * seeds)]
    pairs = np.hstack([np.eye(seeds), -np.eye(seeds)])
    (random,) = stats.over_networks(networks, [pairs], b, n, seed)
    (fixed,) = stats.contrasts(networks, [pairs.mean(axis=0)], b, n, seed)
    return {"networks random": random.p <= 0.05, "networks fixed": fixed.p <= 0.05}
