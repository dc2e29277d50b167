"""Are coarse networks' dimensions shared by other networks?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...report import style
from .. import drawing
from .. import universality as u
from ..catalogue import Analysis, Findings
from ..study import NotApplicable

AT_MOST = 50  # components of a layer, unless --components says otherwise


def run(study) -> Findings:
    fit, score = _halves(study)
    asked = study.settings.components
    if asked is not None and asked > len(fit) - 1:
        raise ValueError(
            f"{asked} principal components asked, but they are fitted on {len(fit)} images (half of all, the other "
            "half scores); give more images or a smaller --components"
        )
    targets = {model: _targets(study, model, fit, score, asked or AT_MOST) for model in study.models}
    pool = list(study.settings.pool) or [m for m in study.models if study.describe(m)["labels"] != "untrained"]
    shuffled = np.random.default_rng(study.settings.seed).permutation(len(score))
    rows = []
    for predictor in pool:
        known = [model for model in study.models if model != predictor]
        if not known:
            continue
        x = _channels(study, predictor, fit, score)
        y = np.concatenate([targets[model][0] for model in known], axis=1)
        r = u.held_out_r(x, y, seed=study.settings.seed)
        null = u.held_out_r(x[shuffled], y, seed=study.settings.seed)
        about = pd.concat([targets[model][1] for model in known], ignore_index=True)
        pool_name = "same" if not study.settings.pool else "fixed"
        rows.append(about.assign(predictor=predictor, r=r, permuted=null, pool=pool_name))
        study.say(f"universality: predicted from {predictor}")
    if not rows:
        raise NotApplicable("needs at least two networks, or other ones as --pool")
    pairs = _pools(study, pd.concat(rows, ignore_index=True))
    components = pairs.groupby(["model", "labels", "k", "seed", "layer", "rank", "variance", "pool"], dropna=False,
                               as_index=False, sort=False)[["r", "permuted"]].median()  # fmt: skip
    components = components.rename(columns={"r": "universality"})
    summary = _summary(pairs)
    tables = {"pairs": pairs, "components": components, "summary": summary}
    trend, answer = _trend(study, pairs)
    if trend is not None:
        tables["trend"] = trend
    warnings = [
        "intervals resample the predicting networks only, not images; low-dimensional networks look universal for "
        "free, so compare with the untrained and the permuted null, and by rank",
        "brain similarity and the RSA of the most universal components are not part of this analysis yet",
    ]
    if "same" not in set(pairs["pool"]):
        warnings.append("one seed of each condition only: the pool of other seeds is empty")
    return Findings(tables, answer, warnings)


def _halves(study):
    """Images on which components are fitted, and those that score."""
    order = np.random.default_rng(study.settings.seed).permutation(study.rows)
    half = len(order) // 2
    return np.sort(order[:half]), np.sort(order[half:])


def _targets(study, model, fit, score, at_most):
    """(scoring images, all components of all layers), and what each is."""
    about, columns, rows = study.describe(model), [], []
    for layer in study.layers:
        scores, variances = u.principal_components(study.pooled(model, layer).astype(np.float64), fit)
        k = min(at_most, len(variances))
        columns.append(scores[score, :k])
        rows.append(pd.DataFrame(about | {"layer": layer, "rank": np.arange(1, k + 1), "variance": variances[:k]}))
    return np.concatenate(columns, axis=1), pd.concat(rows, ignore_index=True)


def _channels(study, model, fit, score):
    """Channels of all layers, each layer scaled to the same mean variance, on the scoring images."""
    parts = []
    for layer in study.layers if model in study.models else study.layers_of(model):
        x = study.pooled(model, layer).astype(np.float64)
        scale = np.sqrt(x[fit].var(axis=0).mean())
        parts.append(x[score] / (scale or 1))
    return np.concatenate(parts, axis=1)


def _pools(study, pairs):
    """Pool "same": other seeds of the target's condition; "others": trained networks of other conditions."""
    if study.settings.pool:
        return pairs
    condition = {m: (study.describe(m)["labels"], study.describe(m)["k"]) for m in study.models}
    same = [condition[a] == condition[b] for a, b in zip(pairs["model"], pairs["predictor"], strict=True)]
    return pairs.assign(pool=np.where(same, "same", "others"))


def _summary(pairs):
    """One row a (model, layer, predictor, pool): mean r weighted by variance, and of equal weight by rank."""
    keys = ["model", "labels", "k", "seed", "layer", "predictor", "pool"]
    rows = []
    for key, own in pairs.groupby(keys, dropna=False, sort=False):
        rows.append(
            dict(zip(keys, key, strict=True))
            | {
                "weighted": u.weighted(own["r"], own["variance"]),
                "mean": own["r"].mean(),
                "first_10": own.loc[own["rank"] <= 10, "r"].mean(),
                "permuted": u.weighted(own["permuted"], own["variance"]),
            }
        )
    return pd.DataFrame(rows)


def _trend(study, pairs):
    """Slope of universality over log2 K among coarse and native networks, by measure, with its interval."""
    chosen = [*study.coarse(), *(m for m in study.models if study.describe(m)["labels"] == "native")]
    classes = [study.describe(model)["k"] for model in chosen]
    if len(set(classes)) < 3:
        return None, "Whether universality rises as classes get coarser needs networks of at least three granularities."
    summary = _summary(pairs)
    summary = summary[summary["pool"] != "same"]
    rows = []
    for measure in ("weighted", "first_10", "mean"):
        values = summary.pivot_table(index="model", columns="predictor", values=measure).reindex(chosen)
        found, low, high = u.bootstrapped_slope(classes, values.to_numpy(), study.settings.resamples,
                                                study.settings.seed)  # fmt: skip
        rows.append({"measure": measure, "slope_per_doubling": found, "low": low, "high": high})
    trend = pd.DataFrame(rows)
    whole, by_rank, _ = trend.itertuples()
    verdict = "rises" if whole.high < 0 else "falls" if whole.low > 0 else "neither rises nor falls for certain"
    if (whole.high < 0 and by_rank.high >= 0) or (whole.low > 0 and by_rank.low <= 0):
        verdict += " only where components are weighted by variance"
    null = summary["permuted"].mean()
    untrained = summary[summary["labels"] == "untrained"]["weighted"]
    return trend, (
        f"As classes get coarser, universality {verdict}: per doubling of K it changes by {_change(whole)} weighted by "
        f"variance, by {_change(by_rank)} over the first ten components of each layer; permuted images give {null:+.3f}"
        + (f", the untrained network {untrained.median():.3f}." if len(untrained) else ".")
    )


def _change(row) -> str:
    return f"{row.slope_per_doubling:+.4f} ({row.low:+.4f} to {row.high:+.4f})"


def draw(findings) -> dict:
    summary = findings.tables["summary"]
    summary = summary[summary["pool"] != "same"] if (summary["pool"] != "same").any() else summary
    components = findings.tables["components"]
    with drawing.pyplot() as plt:
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.1, 3.1))
        for _, own in summary.groupby("model", sort=False):
            by_layer = own.groupby("layer", sort=False)["weighted"].median()
            left.plot(by_layer.index, by_layer, marker="o", markersize=2.5, linewidth=0.9, **drawing.look(own.iloc[0]),
                      label=drawing.name(own.iloc[0]))  # fmt: skip
        left.plot(summary.groupby("layer", sort=False)["permuted"].median(), color=style.GRID, linewidth=2,
                  label="permuted images")  # fmt: skip
        left.set_title("by layer, weighted by variance", loc="left")
        left.set_ylabel("universality (held-out r)")
        left.tick_params(axis="x", rotation=60)
        for _, own in components.groupby("model", sort=False):
            by_rank = own.groupby("rank")["universality"].mean()
            right.semilogx(by_rank.index, by_rank, linewidth=0.9, **drawing.look(own.iloc[0]))
        right.set_title("by rank, mean over layers", loc="left")
        right.set_xlabel("rank of component")
        figure.legend(frameon=False, loc="lower center", ncols=7, fontsize=6)
        figure.tight_layout(rect=(0, 0.12, 1, 1))
    return {
        "universality": (
            figure,
            "How well the other trained networks predict the principal components of each network (median over the "
            "predicting networks).",
        )
    }


ANALYSIS = Analysis(
    name="universality",
    question="Are coarse networks' dimensions shared by others: does universality rise as classes get coarser?",
    how_to_read=(
        "Universality of a component is the held-out correlation with which another network's channels predict it by "
        "ridge regression, median over networks (Chen & Bonner 2025). Components are fitted on one half of the images "
        "and predicted on the other. A network of few dimensions looks universal for free: compare variance-weighted "
        "and by rank, with the untrained network and with permuted images."
    ),
    run=run,
    draw=draw,
    needs=("pooled",),
)
