"""The part of `universality` on brains: brain similarity of components, and RSA with the most universal ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainscore_granularity.report import measures, style

from .. import drawing
from ..measures import brain_similarity as brains
from ..measures import universality as u

RESAMPLES = 200  # largest number of resamples of images for brain similarity


def run(study, targets, components, score, tables, warnings) -> str:
    """Brain similarity of components and RSA of the most universal ones: fills tables, returns the answer."""
    rows = study.brain_rows if study.separate else score
    within = rows - study.brain_rows[0]
    if not study.separate:
        warnings.append("components were fitted on images that the brains saw: brain similarity is measured on the "
                        "other half of these, RSA on all; --images gives others to fit on")  # fmt: skip
    known = components[components["pool"] != "same"] if (components["pool"] != "same").any() else components
    known = known.rename(columns={"permuted": "permuted_networks"}).drop(columns="pool")
    y = np.concatenate([targets[model][0][rows] for model in study.models], axis=1)
    about = pd.concat([targets[model][1] for model in study.models], ignore_index=True)
    keys = ["model", "layer", "rank"]
    universality = about.merge(known[[*keys, "universality"]], on=keys, how="left")["universality"]
    parts, alike, kept, said = [], [], [], []
    for brain in study.brains:
        kept += _kept(study, brain, targets, about, universality)
        subjects = _subjects(brain, within, warnings)
        if not subjects:
            continue
        found = brains.brain_similarity(subjects, y, min(RESAMPLES, study.settings.resamples), study.settings.seed)
        parts.append(about.assign(benchmark=brain.name, universality=universality, brain_similarity=found.r,
                                  adjusted=found.adjusted, permuted=found.permuted))  # fmt: skip
        for model in study.models:
            mine = (about["model"] == model).to_numpy()
            alike.append(_alike(study, model, brain, mine, about, universality, found))
        study.say(f"universality: brain similarity, {brain.name}")
    tables["kept"] = pd.DataFrame(kept)
    if parts:
        tables["brain_components"] = pd.concat(parts, ignore_index=True)
        tables["brain"] = pd.DataFrame(alike)
        for name, own in tables["brain"].groupby("benchmark", sort=False):
            best = own.loc[own["similarity"].idxmax()]
            said.append(f"{name}: highest variance-weighted r {best['similarity']:.3f} ({best['low']:.3f} to "
                        f"{best['high']:.3f}) for {drawing.name(best)}, universal and brain-like components coincide "
                        f"with rank correlation {own['with_universality'].min():.2f} to "
                        f"{own['with_universality'].max():.2f} over networks (rank held fixed "
                        f"{own['without_rank'].min():.2f} to {own['without_rank'].max():.2f})")  # fmt: skip
    five = tables["kept"]
    five = five[five["kept"] == 5] if len(five) else five
    for name, own in five.groupby("benchmark", sort=False) if len(five) else ():
        better, worse = (own["difference_low"] > 0).sum(), (own["difference_high"] < 0).sum()
        said.append(f"{name}: 5 most universal components give {own['universal'].median():.3f} (median of "
                    f"{len(own)} networks), 5 largest {own['largest'].median():.3f}, all {own['all'].median():.3f}; "
                    f"universal better than largest for {better}, worse for {worse}")  # fmt: skip
    return f" Brains: {'; '.join(said)}." if said else ""


def _subjects(brain, within, warnings) -> list[np.ndarray]:
    """Each subject's responses to the scoring images; derived from RDMs if nothing else was published."""
    if measures.scale(brain.name) == "behaviour":
        return []  # judgments are not responses of units
    responses = brain.responses()
    if responses:
        return [x[within] for x in responses.values()]
    warnings.append(
        f"{brain.name}: only RDMs were published; predictors are the patterns that 1 - RDM determines up to a "
        "rotation, each image standardised"
    )
    return [brains.coordinates(rdm[np.ix_(within, within)]) for rdm in brain.rdms]


def _alike(study, model, brain, mine, about, universality, found) -> dict:
    """One network: brain similarity of its components, and its correlation with their universality."""
    weights = u.measure_weights(about, model)[0]
    samples = found.samples @ weights
    low, high = np.quantile(samples, [0.025, 0.975])
    own, rank = universality[mine].to_numpy(), about.loc[mine, "rank"].to_numpy()
    one = pd.Series(own).corr(pd.Series(found.r[mine]), method="spearman")
    return study.describe(model) | {
        "benchmark": brain.name, "similarity": float(found.r @ weights), "low": low, "high": high,
        "adjusted": float(np.nansum(found.adjusted * weights) / weights[np.isfinite(found.adjusted)].sum())
        if np.isfinite(found.adjusted).any() else np.nan,
        "permuted": float(found.permuted @ weights), "with_universality": one,
        "without_rank": brains.partial_spearman(own, found.r[mine], rank),
    }  # fmt: skip


def _kept(study, brain, targets, about, universality):
    """RSA of the committed layer with few components kept, for every network."""
    for model in study.models:
        layer = study.committed(model, brain.region)
        if layer not in study.layers:
            continue
        mine = ((about["model"] == model) & (about["layer"] == layer)).to_numpy()
        values = universality[mine].to_numpy()
        if np.isnan(values).any():
            continue
        for row in brains.kept_components(targets[model][2][layer], study.brain_rows, values, brain.rdms,
                                          study.settings.resamples, study.settings.seed):  # fmt: skip
            yield study.describe(model) | {"layer": layer, "benchmark": brain.name} | row


def draw_similarity(plt, table):
    names = list(dict.fromkeys(table["benchmark"]))
    figure, axes = plt.subplots(1, len(names), figsize=(7.1, 2.6), sharey=True, squeeze=False)
    for axis, name, title in zip(axes[0], names, drawing.short(names), strict=True):
        own = table[table["benchmark"] == name].reset_index(drop=True)
        for i, row in own.iterrows():
            colour = drawing.look(row)["color"]
            axis.plot([i, i], [row["low"], row["high"]], color=colour, linewidth=1)
            axis.plot(i, row["similarity"], "o", color=colour, markersize=4)
            axis.plot(i, row["permuted"], "x", color=style.MUTED, markersize=3)
        axis.axhline(0, color=style.MUTED, linewidth=0.6)
        axis.set_title(title, loc="left")
        axis.set_xticks(range(len(own)), [drawing.name(row) for _, row in own.iterrows()], rotation=60, ha="right",
                        rotation_mode="anchor")  # fmt: skip
    axes[0, 0].set_ylabel("brain similarity (held-out r)")
    figure.tight_layout()
    return figure


def draw_kept(plt, kept):
    names = list(dict.fromkeys(kept["benchmark"]))
    numbers = sorted(kept["kept"].unique())
    figure, axes = plt.subplots(1, len(names), figsize=(7.1, 2.9), sharey=True, squeeze=False)
    for axis, name, title in zip(axes[0], names, drawing.short(names), strict=True):
        models = list(kept[kept["benchmark"] == name].groupby("model", sort=False))
        for i, (_, own) in enumerate(models):
            shift = (i - (len(models) - 1) / 2) * 0.7 / len(models)
            colour, x = drawing.look(own.iloc[0])["color"], np.array([numbers.index(n) for n in own["kept"]]) + shift
            axis.vlines(x, own["low"], own["high"], color=colour, linewidth=0.7)
            axis.plot(x, own["universal"], "o", color=colour, markersize=2.5, label=drawing.name(own.iloc[0]))
            axis.plot(x, own["largest"], "o", color=colour, markersize=2.5, markerfacecolor="white",
                      markeredgewidth=0.6)  # fmt: skip
            axis.plot(x, own["random"], "x", color=colour, markersize=2.5, markeredgewidth=0.5)
            axis.plot(len(numbers) + shift, own["all"].iloc[0], "_", color=colour, markersize=4)
        axis.axhline(0, color=style.MUTED, linewidth=0.6)
        axis.set_title(title, loc="left")
        axis.set_xticks(range(len(numbers) + 1), [*map(str, numbers), "all"])
        axis.set_xlabel("components kept")
    axes[0, 0].set_ylabel("RSA (Spearman)")
    drawing.legend_below(figure, axes[0, 0], 7, 0.13)
    return figure
