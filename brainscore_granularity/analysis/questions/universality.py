"""Are coarse networks' dimensions shared by other networks, and by brains?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainscore_granularity.report import style
from brainscore_granularity.report.conditions import NATIVE, STARTS
from brainscore_granularity.rsa.components import principal_components

from .. import drawing
from ..base import Analysis, Findings, NotApplicable
from ..measures import universality as u
from . import universality_in_brains as in_brains

AT_MOST = 50  # components of a layer, unless --components is given
RESAMPLES = 200  # largest number of resamples of images
NULLS = 10  # leading components, with most of the variance, that are also predicted from permuted images


def run(study) -> Findings:
    fit, score = _halves(study)
    asked = study.settings.components
    if asked is not None and asked > len(fit) - 1:
        raise ValueError(
            f"{asked} principal components were asked for, but they are fitted on {len(fit)} images (half of all; the "
            "other half scores); give more images or a smaller --components"
        )
    targets = {model: _targets(study, model, fit, asked or AT_MOST) for model in study.models}
    pairs, samples = _pairs(study, targets, fit, score)
    components = pairs.groupby(["model", "labels", "k", "seed", "layer", "rank", "variance", "pool"], dropna=False,
                               as_index=False, sort=False)[["r", "permuted"]].median()  # fmt: skip
    components = components.rename(columns={"r": "universality"})
    tables = {"pairs": pairs, "components": components, "summary": _summary(pairs)}
    trend, answer = _trend(study, tables["summary"], samples)
    if trend is not None:
        tables["trend"] = trend
    warnings = ["intervals over images score the same fits on other images; low-dimensional networks look universal "
                "trivially, so compare with the untrained network, best with fitted statistics, with the permuted "
                "null,"
                "and by rank"]  # fmt: skip
    if "same" not in set(pairs["pool"]):
        warnings.append("one seed of each condition only: the pool of other seeds is empty, and no interval is over "
                        "networks of a condition")  # fmt: skip
    if study.brains:
        answer += in_brains.run(study, targets, components, score, tables, warnings)
    return Findings(tables, answer, warnings)


def _halves(study):
    """Images on which components are fitted, and images that are scored."""
    order = np.random.default_rng(study.settings.seed).permutation(study.rows)
    half = len(order) // 2
    return np.sort(order[:half]), np.sort(order[half:])


def _targets(study, model, fit, at_most):
    """Scores (all images, components of all layers), a table that describes each, and the components of the layers."""
    about, columns, rows, layers = study.describe(model), [], [], {}
    for layer in study.layers:
        found = principal_components(study.pooled(model, layer).astype(np.float64), fit)
        k = min(at_most, len(found.variances))
        columns.append(found.scores[:, :k])
        layers[layer] = found
        rows.append(pd.DataFrame(about | {"layer": layer, "rank": np.arange(1, k + 1),
                                          "variance": found.variances[:k]}))  # fmt: skip
    return np.concatenate(columns, axis=1), pd.concat(rows, ignore_index=True), layers


def _pairs(study, targets, fit, score):
    """Predict every component of every network from every other network; also the measures on resamples of images.

    samples : {(model, predictor): (resamples, measures)}.
    """
    settings = study.settings
    pool = list(settings.pool) or [m for m in study.models if study.describe(m)["labels"] not in STARTS]
    shuffled = np.random.default_rng(settings.seed).permutation(len(score))
    rows, samples = [], {}
    for predictor in pool:
        known = [model for model in study.models if model != predictor]
        if not known:
            continue
        x = _channels(study, predictor, fit, score)
        y = np.concatenate([targets[model][0][score] for model in known], axis=1)
        found = u.held_out(x, y, seed=settings.seed)
        about = pd.concat([targets[model][1] for model in known], ignore_index=True)
        null = np.full(len(about), np.nan)
        few = (about["rank"] <= NULLS).to_numpy()
        null[few] = u.held_out_r(x[shuffled], y[:, few], seed=settings.seed)
        rows.append(about.assign(predictor=predictor, r=found.r, permuted=null, pool=_pool(study, about, predictor)))
        samples |= _resampled(found, y, about, predictor, min(RESAMPLES, settings.resamples), settings.seed)
        study.say(f"universality: predicted from {predictor}")
    if not rows:
        raise NotApplicable("needs at least two networks, or other ones as --pool")
    pairs = pd.concat(rows, ignore_index=True)
    order = {model: i for i, model in enumerate(study.models)}
    return pairs.sort_values("model", key=lambda models: models.map(order), kind="stable", ignore_index=True), samples


def _pool(study, about, predictor) -> np.ndarray:
    """Pool "same": other seeds of the target's condition; "others": trained networks of other conditions."""
    if study.settings.pool:
        return np.full(len(about), "fixed")
    condition = {m: (study.describe(m)["labels"], study.describe(m)["k"]) for m in study.models}
    same = {model: condition[model] == condition[predictor] for model in condition}
    return np.where(about["model"].map(same), "same", "others")


def _resampled(found, y, about, predictor, resamples, seed) -> dict:
    """The measures of every target network on resamples of images."""
    models = list(dict.fromkeys(about["model"]))
    weights = np.stack([u.measure_weights(about, model) for model in models])  # (models, measures, t)
    total = np.zeros((resamples, len(models), len(u.MEASURES)))
    for some, r in u.resampled_r(found, y, resamples, seed):
        total += np.einsum("rt,mkt->rmk", r, weights[..., some], optimize=True)
    return {(model, predictor): total[:, i] for i, model in enumerate(models)}


def _channels(study, model, fit, score):
    """Channels of all layers, each layer scaled to the same mean variance, on the scoring images."""
    parts = []
    for layer in study.layers if model in study.models else study.layers_of(model):
        x = study.pooled(model, layer).astype(np.float64)
        scale = np.sqrt(x[fit].var(axis=0).mean())
        parts.append(x[score] / (scale or 1))
    return np.concatenate(parts, axis=1)


def _summary(pairs):
    """One row per (model, layer, predictor, pool): mean r weighted by variance, and with equal weights by rank."""
    keys = ["model", "labels", "k", "seed", "layer", "predictor", "pool"]
    rows = []
    for key, own in pairs.groupby(keys, dropna=False, sort=False):
        rows.append(
            dict(zip(keys, key, strict=True))
            | {
                "weighted": u.weighted(own["r"], own["variance"]),
                "mean": own["r"].mean(),
                "first_10": own.loc[own["rank"] <= 10, "r"].mean(),
                "permuted": u.weighted(*own.loc[own["permuted"].notna(), ["permuted", "variance"]].to_numpy().T),
            }
        )
    return pd.DataFrame(rows)


def _trend(study, summary, samples):
    """Slope of universality over log2 K among coarse and native networks, by measure, with its intervals."""
    chosen = [*study.coarse(), *(m for m in study.models if study.describe(m)["labels"] == NATIVE)]
    classes = [study.describe(model)["k"] for model in chosen]
    if len(set(classes)) < 3:
        return None, "Whether universality rises as classes get coarser needs networks of at least three granularities."
    summary = summary[summary["pool"] != "same"]
    rows, settings = [], study.settings
    for number, measure in enumerate(u.MEASURES):
        values = summary.pivot_table(index="model", columns="predictor", values=measure).reindex(chosen)
        drawn = np.full((len(next(iter(samples.values()))), *values.shape), np.nan)
        for i, j in zip(*np.nonzero(values.notna().to_numpy()), strict=True):
            drawn[:, i, j] = samples[values.index[i], values.columns[j]][:, number]
        row = {"measure": measure, "slope_per_doubling": np.nan}
        for over, images, networks in (("networks", None, True), ("images", drawn, False), ("both", drawn, True)):
            found, low, high = u.bootstrapped_slope(classes, values.to_numpy(), images, settings.resamples,
                                                    settings.seed, networks=networks)  # fmt: skip
            row |= {"slope_per_doubling": found, f"low_{over}": low, f"high_{over}": high}
        rows.append(row)
    trend = pd.DataFrame(rows)
    whole, by_rank, _ = trend.itertuples()
    verdict = "rises" if whole.high_both < 0 else "falls" if whole.low_both > 0 else "neither rises nor falls for sure"
    if (whole.high_both < 0 and by_rank.high_both >= 0) or (whole.low_both > 0 and by_rank.low_both <= 0):
        verdict += " only where components are weighted by variance"
    null, by_labels = summary["permuted"].mean(), summary.groupby("labels")["weighted"].median()
    words = {"untrained": "the untrained network", "fitted": "the same with fitted statistics"}
    starts = "".join(f", {words[start]} {by_labels[start]:.3f}" for start in STARTS if start in by_labels)
    return trend, (
        f"As classes get coarser, universality {verdict}: per doubling of K it changes by {_change(whole)} weighted by "
        f"variance, by {_change(by_rank)} over the first ten components of each layer (intervals over predicting "
        f"networks and images); permuted images give a universality of {null:+.3f}{starts}."
    )


def _change(row) -> str:
    return f"{row.slope_per_doubling:+.4f} ({row.low_both:+.4f} to {row.high_both:+.4f})"


def draw(findings) -> dict:
    with drawing.pyplot() as plt:
        figures = {
            "universality": (_shared(plt, findings), (
                "How well the other trained networks predict the principal components of each network (median over the "
                "predicting networks)."
            )),
        }  # fmt: skip
        if "brain" in findings.tables:
            figures["brain_similarity"] = (in_brains.draw_similarity(plt, findings.tables["brain"]), (
                "How well brains predict the components of each network, weighted by variance, mean over layers and "
                "subjects; bars are 95% intervals over images. Crosses: shuffled images."
            ))  # fmt: skip
        if len(findings.tables.get("kept", ())):
            figures["most_universal"] = (in_brains.draw_kept(plt, findings.tables["kept"]), (
                "Alignment of the committed layer rebuilt from its n most universal components (filled), its n largest "
                "(open), and n at random (crosses); the line at the right is all of them. Bars are 95% intervals over "
                "images, of the most universal."
            ))  # fmt: skip
    return figures


def _shared(plt, findings):
    summary = findings.tables["summary"]
    summary = summary[summary["pool"] != "same"] if (summary["pool"] != "same").any() else summary
    components = findings.tables["components"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.1, 3.1), sharey=True)
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
    drawing.legend_below(figure, left, 7, 0.12)
    return figure


ANALYSIS = Analysis(
    name="universality",
    question="Are coarse networks' dimensions shared by others: does universality rise as classes get coarser?",
    how_to_read=(
        "Universality of a component is the held-out correlation with which another network's channels predict it by "
        "ridge regression, median over networks (Chen & Bonner 2025). Components are fitted on one half of the images "
        "and predicted on the other. A network of few dimensions looks universal trivially: compare the values "
        "weighted by variance with those by rank, and with the untrained network and permuted images. Brain similarity "
        "is the same regression from one subject's responses; a component can be universal and brain-like only because "
        "it is large, so the rank correlation of both is also given with the component's rank held fixed."
    ),
    run=run,
    draw=draw,
    needs=("pooled",),
    version=2,
)
