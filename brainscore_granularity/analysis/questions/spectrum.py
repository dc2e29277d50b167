"""Is the gain of coarse training in the top principal components?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from brainscore_granularity import stats
from brainscore_granularity.report import style
from brainscore_granularity.rsa.degenerate import DegenerateFeatures

from .. import drawing
from ..base import Analysis, Findings
from ..measures import spectrum as law

KEPT = (1, 2, 3, 5, 10, 20, 50)
TOP = 10  # "the top components" of the answer


def run(study) -> Findings:
    spectra, summary, kept, warnings = [], [], [], []
    rdms = {}  # (model, layer) -> RDMs with the top components, and with all
    asked = study.settings.components
    if asked is not None and asked > len(study.rows) - 1:
        raise ValueError(f"{asked} principal components were asked for, {len(study.rows)} images have at most "
                         f"{len(study.rows) - 1}; give more images or a smaller --components")  # fmt: skip
    for model in study.models:
        study.say(f"spectrum: {model}")
        about = study.describe(model)
        committed = {brain.name: study.committed(model, brain.region) for brain in study.brains}
        for layer in study.layers:
            products = study.products(model, layer)
            try:
                found = study.components(model, layer)
            except DegenerateFeatures as error:
                warnings.append(f"{model} {layer}: {error}")
                continue
            shown = found.values[: asked or 200]
            spectra.append(pd.DataFrame(about | {
                "layer": layer, "rank": np.arange(1, len(shown) + 1), "variance": shown,
                "share": shown / found.values.sum(),
            }))  # fmt: skip
            row = about | {"layer": layer, "participation_ratio": law.participation_ratio(found.values),
                           "components": len(found.values)}  # fmt: skip
            try:
                fit = law.power_law(found.values, found.scores(products, study.rows))
                row |= {"exponent": fit.exponent, "low": fit.low, "high": fit.high, "first": fit.first,
                        "last": fit.last}  # fmt: skip
            except ValueError as error:
                row |= {"exponent": np.nan, "low": np.nan, "high": np.nan, "first": 0, "last": 0}
                warnings.append(f"{model} {layer}: no exponent, {error}")
            summary.append(row)
            if layer in committed.values():
                scores = found.scores(products, study.brain_rows)
                kept += _alignment(study, about, layer, products, found, scores, committed)
                rdms[model, layer] = _rdms(study, model, layer)
    tables = {"spectra": pd.concat(spectra, ignore_index=True), "summary": pd.DataFrame(summary)}
    if study.brains and not study.separate:
        warnings.append("components were fitted on the images that are scored; --images gives others to fit them on")
    differences = pd.DataFrame(_against_native(study, rdms)) if study.brains else pd.DataFrame()
    if kept:
        tables["kept"] = pd.DataFrame(kept)
    if len(differences):
        differences["q"] = false_discovery_control(differences["p"].to_numpy())
        tables["differences"] = differences
    if len({about["seed"] for about in map(study.describe, study.models) if about["seed"] is not None}) == 1:
        warnings.append("one seed only: intervals are over images, none over networks")
    return Findings(tables, _answer(study, tables), warnings)


def _alignment(study, about, layer, products, found, scores, committed):
    """RSA with every brain whose region is committed to this layer, by number of components kept."""
    from brainscore_granularity.rsa import compare

    for kept in (*(k for k in KEPT if k < len(found.values)), len(found.values)):
        rdm = found.reconstructed_rdm(scores, kept, products.width)
        for brain in study.brains:
            if committed[brain.name] == layer:
                value = float(np.mean([compare(rdm, own) for own in brain.rdms]))
                yield about | {"benchmark": brain.name, "layer": layer, "kept": kept, "rsa": value,
                               "all": kept == len(found.values)}  # fmt: skip


def _against_native(study, rdms):
    """Coarse minus native with all components and with the top ones, on the same resamples of images."""
    for model in study.coarse():
        native = study.native(model)
        if native is None:
            return
        for brain in study.brains:
            layers = [(each, study.committed(each, brain.region)) for each in (model, native)]
            pair = [rdms.get(place) or _rdms(study, *place) for place in layers]
            for which, (coarse, fine) in zip((f"top {TOP}", "all"), zip(*pair, strict=True), strict=True):
                found = stats.compare_models(coarse, fine, brain.rdms, n=study.settings.resamples,
                                             seed=study.settings.seed)  # fmt: skip
                yield study.describe(model) | {
                    "benchmark": brain.name, "components": which, "difference": found.value, "low": found.low,
                    "high": found.high, "p": found.p,
                }  # fmt: skip


def _rdms(study, model, layer):
    """RDMs for the images that brains saw: with the top components, and with all."""
    products, found = study.products(model, layer), study.components(model, layer)
    top = found.reconstructed_rdm(found.scores(products, study.brain_rows), TOP, products.width)
    return top, products.rdm(study.brain_rows, model)


def _answer(study, tables) -> str:
    if "differences" not in tables:
        part = tables["summary"].groupby("model")["participation_ratio"].mean()
        return (
            f"Effective dimensionality (participation ratio, mean over layers) runs from {part.min():.1f} "
            f"({part.idxmin()}) to {part.max():.1f} ({part.idxmax()}); whether a gain in alignment lies in the top "
            "components needs --benchmarks and a native model."
        )
    rows = tables["differences"]
    parts = []
    for name, own in rows.groupby("benchmark"):
        top, whole = (own[own["components"] == which] for which in (f"top {TOP}", "all"))
        best = whole.loc[whole["difference"].idxmax()]
        same = top[top["model"] == best["model"]].iloc[0]
        parts.append(
            f"{name}: {best['model']} minus native {best['difference']:+.3f} ({best['low']:+.3f} to "
            f"{best['high']:+.3f},"
            f" q {best['q']:.3f}) with all components, {same['difference']:+.3f} ({same['low']:+.3f} to "
            f"{same['high']:+.3f}, q {same['q']:.3f}) with the top {TOP}"
        )
    return "Largest gain over native, chosen among the coarse models: " + "; ".join(parts) + "."


def draw(findings) -> dict:
    spectra = findings.tables["spectra"]
    figures = {}
    with drawing.pyplot() as plt:
        layers = list(dict.fromkeys(spectra["layer"]))[-6:]
        figure, axes = plt.subplots(2, 3, figsize=(7.1, 4.4), sharex=True, squeeze=False)
        for axis, layer in zip(axes.flat, layers, strict=False):
            for _, own in spectra[spectra["layer"] == layer].groupby("model", sort=False):
                axis.loglog(
                    own["rank"],
                    own["share"],
                    linewidth=0.9,
                    **drawing.look(own.iloc[0]),
                    label=drawing.name(own.iloc[0]),
                )
            axis.set_title(layer, loc="left")
        for axis in axes.flat[len(layers) :]:
            axis.set_axis_off()
        for axis in axes[-1]:
            axis.set_xlabel("rank of component")
        for axis in axes[:, 0]:
            axis.set_ylabel("share of variance")
        drawing.legend_below(figure, axes.flat[0], 6, 0.09)
        figures["spectra"] = figure, "Share of variance of each principal component, last layers of every network."
        if "kept" in findings.tables:
            figures["kept"] = _kept(plt, findings.tables["kept"])
    return figures


def _kept(plt, kept):
    names = list(dict.fromkeys(kept["benchmark"]))
    figure, axes = plt.subplots(1, len(names), figsize=(7.1, 2.8), sharey=True, squeeze=False)
    for axis, name, title in zip(axes[0], names, drawing.short(names), strict=True):
        for _, own in kept[kept["benchmark"] == name].groupby("model", sort=False):
            axis.semilogx(
                own["kept"], own["rsa"], linewidth=0.9, **drawing.look(own.iloc[0]), label=drawing.name(own.iloc[0])
            )
        axis.axhline(0, color=style.MUTED, linewidth=0.6)
        axis.set_title(title, loc="left")
        axis.set_xlabel("components kept")
    axes[0, 0].set_ylabel("RSA (Spearman)")
    drawing.legend_below(figure, axes[0, 0], 6, 0.13)
    return figure, "Alignment of the committed layer, rebuilt from its leading principal components and its mean."


ANALYSIS = Analysis(
    name="spectrum",
    question="Is the gain of coarse training in the top principal components?",
    how_to_read=(
        "Variance against the rank of its component, both logarithmic: a straight line is a power law, a steep line "
        "means few dimensions. Then the alignment of the committed layer when only its leading components are kept: a "
        "gain that lies in the top components is there before the curves end. Exponents carry 95% intervals over "
        "images."
    ),
    run=run,
    draw=draw,
    version=2,
)
