"""One effect at several scales? Curves over K of each scale, with networks and subjects as random factors."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import rankdata, spearmanr

from brainscore_granularity.stats.ladder import REFUSED, Ladder

NEEDED = ("scale", "subject", "seed", "k", "score")
NETWORK = ("labels", "seed", "k")  # columns that identify a network


@dataclass
class Agreement:
    """Result of `agreement`.

    curves : scale, k, score (mean over subjects and networks), relative (to the mean of the scale's curve).
    slopes : scale, slope (change of the relative score per doubling of K), low, high, p, df, networks per K.
    effects : scale, f, df1, df2, p of the null "K does not matter for these subjects"; NaN unless every K has two
        networks.
    pairs : two scales, Spearman correlation of their curves over K, p by shuffling K between different networks.
    p_differ : p of the null "all scales have the same slope"; NaN if there are too few networks.
    warnings : what could not be tested, and why.
    """

    curves: pd.DataFrame
    slopes: pd.DataFrame
    effects: pd.DataFrame
    pairs: pd.DataFrame
    p_differ: float
    warnings: list[str] = field(default_factory=list)


def agreement(table: pd.DataFrame, permutations: int = 999, seed: int = 0) -> Agreement:
    """Slopes of relative scores over log2 K, whether they are equal, and whether curves correlate.

    The scores of one network are not independent over subjects and scales, because all contain the network's own
    deviation. So networks (label source, K and seed) are a random factor, like subjects. If the scores of one network
    were treated as independent, K would be found to matter in 29 to 63% of studies (16 judges) in which it does not.
    `stats.ladder.Ladder` has the estimates and the reasons for them.

    table : one row per score, columns scale, subject, seed, k, score (raw), and labels if there are several sources.
        The scores of a scale are divided by their mean, which makes scales comparable also without a noise ceiling.
    """
    data, notes = _checked(table)
    scales = sorted(data["scale"].unique())
    scores, networks = _complete(data, scales, notes)
    ladder = Ladder(networks["k"], networks["labels"].astype(str) + " " + networks["seed"].astype(str))
    if not ladder.replicated:
        notes.append(_untested(ladder.networks_a_k, networks["seed"].nunique()))
    for scale in scales:
        if scores[scale].shape[1] == 1:
            notes.append(f"{scale} has one subject: its slope does not generalise to others")
    if "labels" in table and networks["labels"].nunique() == 1:
        notes.append("one label source: no interval covers what another source would change")
    slopes, effects = [], []
    for scale in scales:
        slope, effect = ladder.slope(scores[scale]), ladder.effect(scores[scale])
        slopes.append({"scale": scale, "slope": slope.value, "low": slope.low, "high": slope.high, "p": slope.p,
                       "df": slope.df, "networks_a_k": ladder.networks_a_k})  # fmt: skip
        effects.append({"scale": scale, **effect._asdict()})
    equal = ladder.equal([scores[scale] for scale in scales])
    if equal is REFUSED:
        notes.append(f"{len(networks)} networks are too few to compare the slopes of {len(scales)} scales")
    curves = data.groupby(["scale", "k"], as_index=False)[["score", "relative"]].mean()
    together = pairs(data, permutations, seed, ladder.replicated)
    return Agreement(curves, pd.DataFrame(slopes), pd.DataFrame(effects), together, equal.p, notes)


def _untested(networks_a_k: int, seeds: int) -> str:
    which = "one network per K" if networks_a_k == 1 else "too few networks per K"
    return (
        f"{which}{' (one seed only)' if seeds == 1 else ''}: effects of the seed cannot be told from effects of K. "
        "Not tested: whether K matters other than along a straight line, and whether curves are alike because "
        "of K. Slopes are tested against the networks' deviations from a straight line"
    )


def _checked(table) -> tuple[pd.DataFrame, list[str]]:
    if missing := [name for name in NEEDED if name not in table]:
        raise ValueError(f"columns {', '.join(missing)} missing; needed: {', '.join(NEEDED)}")
    data = table.assign(labels=table.get("labels", "one"))[[*NEEDED, "labels"]].dropna()
    if data["scale"].nunique() < 2 or data["k"].nunique() < 3:
        raise ValueError(
            f"agreement needs 2 scales or more and 3 numbers of classes or more, got {data['scale'].nunique()} and "
            f"{data['k'].nunique()}; score more models or benchmarks"
        )
    twice = data.duplicated([*NETWORK, "scale", "subject"])
    if twice.any():
        row = data[twice].iloc[0]
        raise ValueError(
            f"two scores of one network: labels {row.labels}, K = {row.k}, seed {row.seed}, {row.scale}, "
            f"{row.subject}; "
            "give one layer and one score each, and name label sources in a column labels"
        )
    means = data.groupby("scale")["score"].transform("mean")
    if (means <= 0).any():
        raise ValueError("the mean score of a scale is not above 0, so its curve cannot be divided by it")
    return data.assign(relative=data["score"] / means, subject=data["subject"].astype(str)), []


def _complete(data, scales, notes) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Relative scores {scale: (networks, subjects)} of the networks with all scores, and a table of these networks."""
    wide = data.pivot(index=list(NETWORK), columns=["scale", "subject"], values="relative")
    whole = wide.dropna().sort_index()
    if left := len(wide) - len(whole):
        notes.append(f"{left} of {len(wide)} networks have no score on some scale or subject and are left out")
    networks = whole.index.to_frame(index=False)
    if networks["k"].nunique() < 3:
        raise ValueError(
            f"agreement needs 3 numbers of classes or more that have every score, got {networks['k'].nunique()}; score "
            "the same models on all benchmarks"
        )
    return {scale: whole[scale].to_numpy(float) for scale in scales}, networks


def pairs(data: pd.DataFrame, permutations: int, seed: int, replicated: bool = True) -> pd.DataFrame:
    """Correlation over K of the curves of two scales; one-sided p by shuffling K of one of them.

    A network that scores high at one scale may score high at others, whatever its K. So p compares curves of different
    networks: the mean of one scale over half of the seeds with that of the other scale over the other half, and the
    reverse; p is twice the smaller value, and NaN with one network per K.
    """
    blocks = data["labels"].astype(str) + " " + data["seed"].astype(str)
    half = blocks.map({name: i % 2 for i, name in enumerate(sorted(blocks.unique()))})
    both, rng, rows = _curves(data), np.random.default_rng(seed), []
    halves = [_curves(data[half == i]) for i in (0, 1)] if replicated else None
    for a, b in itertools.combinations(both.columns, 2):
        p = np.nan
        if halves:
            one, other = (_shuffled(halves[i][a], halves[1 - i][b], permutations, rng) for i in (0, 1))
            p = min(1.0, 2 * min(one, other))
        curves = both[[a, b]].dropna()
        value = spearmanr(curves[a], curves[b]).statistic
        rows.append({"scale": a, "other": b, "points": len(curves), "correlation": value, "p": p})
    return pd.DataFrame(rows)


def _curves(data) -> pd.DataFrame:
    return data.pivot_table(index="k", columns="scale", values="relative", aggfunc="mean")


def _shuffled(x, y, permutations, rng) -> float:
    ranks = rankdata(pd.concat([x, y], axis=1).dropna().to_numpy(), axis=0)
    x, y = (ranks - ranks.mean(axis=0)).T
    null = rng.permuted(np.tile(x, (permutations, 1)), axis=1) @ y  # Spearman's correlation up to a factor
    return float(((null >= x @ y - 1e-9).sum() + 1) / (permutations + 1))


def from_records(records: list[dict], scales: dict[str, str], labels: str = "own") -> pd.DataFrame:
    """The table of `agreement` from results: scales {name: benchmark}, committed layers, one label source."""
    from brainscore_granularity.runner import results

    long = results.long_table([record for record in records if record["status"] == "ok"])
    found = long[long["benchmark"].isin(scales.values()) & long["committed"] & (long["labels"] == labels)]
    # A score without subjects (odd-one-out choices) counts as one subject.
    alone = found.groupby("benchmark")["subject"].transform(lambda names: (names == "all").all())
    found = found[(found["subject"] != "all") | alone]
    name = {benchmark: scale for scale, benchmark in scales.items()}
    return found.assign(scale=found["benchmark"].map(name), score=found["raw"])[[*NEEDED, "labels"]].reset_index(
        drop=True
    )
