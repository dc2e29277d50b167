"""One effect at three scales? Curves over K for behaviour, spiking and fMRI, and a mixed model of their slopes."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import chi2, spearmanr

NEEDED = ("scale", "subject", "seed", "k", "score")


@dataclass
class Agreement:
    """What `agreement` found.

    curves : scale, k, score (mean over subjects and seeds), relative (to the mean of the scale's curve).
    slopes : scale, slope (change of the relative score a doubling of K), low, high, p.
    pairs : two scales, Spearman correlation of their curves over K, p by shuffling K.
    p_differ : likelihood-ratio test of "all scales have one slope".
    """

    curves: pd.DataFrame
    slopes: pd.DataFrame
    pairs: pd.DataFrame
    p_differ: float
    warnings: list[str] = field(default_factory=list)


def agreement(table: pd.DataFrame, permutations: int = 999, seed: int = 0) -> Agreement:
    """Mixed model: relative score ~ scale + scale : log2 K, random intercepts for subjects and seeds.

    table : one row a score, columns scale, subject, seed, k, score (raw). A scale's scores are divided by their mean,
        which puts the scales on one axis also where there is no noise ceiling.
    """
    import statsmodels.formula.api as smf

    if missing := [name for name in NEEDED if name not in table]:
        raise ValueError(f"columns {', '.join(missing)} missing; needed: {', '.join(NEEDED)}")
    data = table[list(NEEDED)].dropna().copy()
    scales = sorted(data["scale"].unique())
    if len(scales) < 2 or data["k"].nunique() < 3:
        raise ValueError(
            f"agreement needs 2 scales or more and 3 numbers of classes or more, got {len(scales)} and "
            f"{data['k'].nunique()}; score more models or benchmarks"
        )
    means = data.groupby("scale")["score"].transform("mean")
    if (means <= 0).any():
        raise ValueError("the mean score of a scale is not above 0: there is no curve to put on a common axis")
    data["relative"], data["doublings"] = data["score"] / means, np.log2(data["k"].astype(float))
    data["subject"] = data["scale"] + ":" + data["subject"].astype(str)  # subjects belong to a scale
    seeds, notes = data["seed"].nunique(), []
    if seeds == 1:
        notes.append("one seed only: intervals do not cover what another seed would change")
    for scale, rows in data.groupby("scale"):
        if rows["subject"].nunique() == 1:
            notes.append(f"{scale} has one subject: its slope does not generalise to others")
    random = {"subject": "0 + C(subject)"} | ({"seed": "0 + C(seed)"} if seeds > 1 else {})

    def fit(formula):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = smf.mixedlm(formula, data, groups=np.ones(len(data)), vc_formula=random)
            fitted = model.fit(reml=False, method=["lbfgs", "powell"])
        if not fitted.converged:
            notes.append(f"the mixed model did not converge ({caught[-1].message if caught else 'no reason given'})")
        return fitted

    full = fit("relative ~ 0 + C(scale) + C(scale):doublings")
    one = fit("relative ~ 0 + C(scale) + doublings")
    ends, rows = full.conf_int(), []
    for scale in scales:
        name = f"C(scale)[{scale}]:doublings"
        rows.append({"scale": scale, "slope": full.params[name], "low": ends.loc[name, 0], "high": ends.loc[name, 1],
                     "p": full.pvalues[name]})  # fmt: skip
    p = float(chi2.sf(max(0.0, 2 * (full.llf - one.llf)), len(scales) - 1))
    curves = data.groupby(["scale", "k"], as_index=False)[["score", "relative"]].mean()
    return Agreement(curves, pd.DataFrame(rows), pairs(curves, permutations, seed), p, notes)


def pairs(curves: pd.DataFrame, permutations: int, seed: int) -> pd.DataFrame:
    """Do the curves of two scales rise and fall together? One-sided p: K of one of them is shuffled."""
    wide, rng, rows = (
        curves.pivot(index="k", columns="scale", values="relative").dropna(),
        np.random.default_rng(seed),
        [],
    )
    for a, b in itertools.combinations(wide.columns, 2):
        x, y = wide[a].to_numpy(), wide[b].to_numpy()
        value = spearmanr(x, y).statistic
        null = np.array([spearmanr(rng.permutation(x), y).statistic for _ in range(permutations)])
        p = ((null >= value - 1e-12).sum() + 1) / (permutations + 1)
        rows.append({"scale": a, "other": b, "points": len(wide), "correlation": value, "p": p})
    return pd.DataFrame(rows)


def from_records(records: list[dict], scales: dict[str, str], labels: str = "own") -> pd.DataFrame:
    """The table of `agreement` from results: scales {name: benchmark}, committed layers, one label source."""
    from brainscore_granularity.runner import results

    long = results.long_table([record for record in records if record["status"] == "ok"])
    found = long[long["benchmark"].isin(scales.values()) & long["committed"] & (long["labels"] == labels)]
    # Scores without subjects (odd-one-out choices) stand for themselves.
    alone = found.groupby("benchmark")["subject"].transform(lambda names: (names == "all").all())
    found = found[(found["subject"] != "all") | alone]
    name = {benchmark: scale for scale, benchmark in scales.items()}
    return found.assign(scale=found["benchmark"].map(name), score=found["raw"])[list(NEEDED)].reset_index(drop=True)
