"""Learning rules and brains: networks by rule and seed, compared with the networks of the same seed before learning.

There are two of these, with the same weights: ``untrained``, with initial batch-norm statistics, and ``fitted``, with
the statistics of training images, as every trained network has. The effect of learning is the difference between a rule
and ``fitted``; the difference between ``untrained`` and ``fitted`` is no effect of learning.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, ttest_1samp

from brainscore_granularity import rsa, stats
from brainscore_granularity.brains.controls import partial_scores
from brainscore_granularity.stats import permutation
from brainscore_granularity.weights.identifiers import FITTED, UNTRAINED

BASELINE = FITTED
STARTS = (FITTED, UNTRAINED)  # baselines, in the order of the contrasts with them
SIGNIFICANT = 0.05


def per_subject(rdms: dict, subjects: dict, controls: dict) -> pd.DataFrame:
    """Spearman correlation and partial correlations of every network with every subject.

    Parameters
    ----------
    rdms : {rule: {seed: (n, n)}}; a baseline that is not a network has one seed, None.
    subjects : {name: (n, n)}.
    controls : {name: (n, n)}, partialled out separately and together.
    """
    rows = []
    for rule, seeds in rdms.items():
        for (seed, rdm), (who, own) in itertools.product(seeds.items(), subjects.items()):
            partial = {f"partial {name}": value for name, value in partial_scores(rdm, own[None], controls).items()}
            rows.append({"rule": rule, "seed": seed, "subject": who, "rsa": rsa.compare(rdm, own)} | partial)
    return pd.DataFrame(rows)


def summary(rdms: dict, subjects: np.ndarray, table: pd.DataFrame, resamples: int, seed: int = 0) -> pd.DataFrame:
    """One row per rule: means over seeds and subjects, interval over stimuli and seeds, spread over seeds, p of chance.

    table : the result of `per_subject`.
    """
    flat, weights = _flat(rdms)
    each = [np.array([w for _, w in weights[rule]]) for rule in rdms]
    found = stats.over_networks(flat, each, subjects, n=resamples, seed=seed)
    scores = [name for name in table if name not in ("rule", "seed", "subject")]
    over_seeds = table.groupby(["rule", "seed"], dropna=False, sort=False)["rsa"].mean()
    rows = []
    for (rule, seeds), estimate in zip(rdms.items(), found, strict=True):
        rows.append(
            {"rule": rule, "seeds": len(seeds)}
            | table[table["rule"] == rule][scores].mean().to_dict()
            | {"low": estimate.low, "high": estimate.high}
            | {"sd_seeds": over_seeds[rule].std(ddof=1) if len(seeds) > 1 else np.nan}
            | {"p": label_permutation(list(seeds.values()), subjects, resamples, seed)}
        )
    return pd.DataFrame(rows)


def label_permutation(rdms, subjects, n: int, seed: int = 0) -> float:
    """One-sided p of the mean score over networks and subjects by permuting stimulus labels: (b + 1) / (n + 1).

    A permutation is the same for all networks and subjects.
    """
    networks = np.mean([permutation.standardised(rdm) for rdm in rdms], axis=0)
    target = np.mean([permutation.standardised(own) for own in subjects], axis=0)
    observed = (networks * target).sum() / 2
    null = permutation.null_scores(networks[None], target, n, seed)[:, 0]
    return (np.count_nonzero(null >= observed - 1e-12) + 1) / (n + 1)


def contrasts(rdms: dict, subjects: np.ndarray, rules, resamples: int, seed: int = 0) -> pd.DataFrame:
    """Differences of every rule to every other and to every baseline, paired by seed.

    Contrasts with fitted come first, then those with untrained.

    rules : which of ``rdms`` are networks.

    Columns: difference, its interval and p over stimuli and seeds (of one seed: over stimuli), from the same resamples
    for both, sd_seeds and p_seeds (paired t-test) over the seeds that both have, and in how many of them the difference
    is above 0. The correction for multiple tests, over all benchmarks, is made by `corrected`.
    """
    flat, weights = _flat(rdms)
    scores = stats.bootstrap(flat, subjects, n=1, fraction=1.0, seed=seed).mean(axis=(0, 2))  # all stimuli, once
    rows, sums = [], []
    for a, b in sorted(itertools.combinations(rdms, 2), key=_rank):
        a, b = sorted((a, b), key=lambda rule: _place(rule) if rule in rules else len(STARTS) + 1)
        pairs = _pairs(rdms, a, b)
        if not pairs or a not in rules:
            continue
        own = np.array([weights[a][i][1] - weights[b][j][1] for i, j in pairs])
        each = own @ scores
        sums.append(own)
        rows.append(
            {
                "a": a,
                "b": b,
                "seeds": len(each),
                "sd_seeds": each.std(ddof=1) if len(each) > 1 else np.nan,
                "p_seeds": float(ttest_1samp(each, 0).pvalue) if len(each) > 1 and each.std() > 0 else np.nan,
                "seeds_above": int((each > 0).sum()),
            }
        )
    found = stats.over_networks(flat, sums, subjects, n=resamples, seed=seed) if sums else []
    return pd.DataFrame(
        [
            {"a": row.pop("a"), "b": row.pop("b"), "difference": e.value, "low": e.low, "high": e.high, "p": e.p, **row}
            for row, e in zip(rows, found, strict=True)
        ]
    )


def _place(rule: str) -> int:
    """Sort key of a rule: rules first, then fitted, then untrained, so that contrasts are later minus earlier state."""
    return 1 + STARTS.index(rule) if rule in STARTS else 0


def _rank(pair: tuple[str, str]) -> int:
    """Sort key of a pair: pairs with fitted, those with untrained (fitted against untrained first), then others."""
    if {*pair} == {*STARTS}:
        return 1
    return next((i for i, start in enumerate(STARTS) if start in pair), len(STARTS))


def corrected(table: pd.DataFrame) -> pd.DataFrame:
    """Add q (Benjamini & Hochberg over all rows), and for contrasts also ``certain``.

    A contrast is certain if q is below 0.05 and the differences of all seeds have the same sign.
    """
    table = table.assign(q=false_discovery_control(table["p"].to_numpy()))
    if "seeds_above" in table:
        one_sign = table["seeds_above"].isin([0]) | (table["seeds_above"] == table["seeds"])
        table = table.assign(certain=(table["q"] < SIGNIFICANT) & one_sign)
    return table


def reliability(subjects: np.ndarray) -> dict[str, float]:
    """Noise ceiling, split-half reliability of the mean RDM (Spearman-Brown) and mean agreement of two subjects."""
    if len(subjects) < 2:
        return dict.fromkeys(("ceiling_lower", "ceiling_upper", "split_half", "between_subjects"), np.nan)
    low, high = stats.noise_ceiling(subjects, pool="rank")
    agree = stats.consistency(subjects)
    return {
        "ceiling_lower": low,
        "ceiling_upper": high,
        "split_half": stats.split_half(subjects),
        "between_subjects": float(agree[np.triu_indices(len(agree), 1)].mean()),
    }


def _flat(rdms: dict) -> tuple[np.ndarray, dict[str, list]]:
    """All RDMs in one stack, and {rule: [(seed, weights over the stack that select this network)]}."""
    names = [(rule, seed) for rule, seeds in rdms.items() for seed in seeds]
    chosen = np.eye(len(names))
    weights: dict[str, list] = {rule: [] for rule in rdms}
    for i, (rule, seed) in enumerate(names):
        weights[rule].append((seed, chosen[i]))
    return np.stack([rdms[rule][seed] for rule, seed in names]), weights


def _pairs(rdms: dict, a: str, b: str) -> list[tuple[int, int]]:
    """Pairs of networks of two rules with the same seed, by number; a baseline without seeds is paired with all."""
    first, second = list(rdms[a]), list(rdms[b])
    return [(i, j) for i, s in enumerate(first) for j, t in enumerate(second) if s == t or s is None or t is None]
