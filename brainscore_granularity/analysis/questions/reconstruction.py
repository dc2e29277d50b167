"""Is coarse training just dimensionality reduction?"""

from __future__ import annotations

import pandas as pd

from brainscore_granularity.report import style

from .. import drawing
from ..base import Analysis, Findings, NotApplicable
from ..measures import reconstruction


def run(study) -> Findings:
    rows, coarse = study.brain_rows, study.coarse()
    if not coarse or study.native() is None:
        raise NotApplicable("needs models of coarse classes and one of native classes among --models")
    asked, most = study.settings.components, len(study.rows) - 1
    if asked is not None and asked > most:
        raise ValueError(f"{asked} principal components were asked for, {most + 1} images have at most {most}")
    found, verdicts = [], []
    for brain in study.brains:
        for seed in dict.fromkeys(study.describe(model)["seed"] for model in coarse):
            of_seed = [model for model in coarse if study.describe(model)["seed"] == seed]
            native = study.native(of_seed[0])
            own = {model: study.products(model, study.committed(model, brain.region)).rdm(rows) for model in of_seed}
            table = reconstruction.compare(
                own, _rebuilt(study, native, brain.region, asked), brain.rdms, study.settings.resamples,
                study.settings.seed,
            )  # fmt: skip
            for model, pairs in table.groupby("model", sort=False):
                about = study.describe(model) | {"benchmark": brain.name, "native": native}
                found.append(pairs.assign(**about))
                verdicts.append(about | {
                    "verdict": reconstruction.verdict(pairs), "coarse": pairs["coarse"].iloc[0],
                    "smallest_difference": pairs["difference"].min(),
                    "at": pairs.loc[pairs["difference"].idxmin(), "kept"],
                    "low": pairs.loc[pairs["difference"].idxmin(), "low"],
                    "high": pairs.loc[pairs["difference"].idxmin(), "high"],
                })  # fmt: skip
    tables = {"pairs": pd.concat(found, ignore_index=True), "verdicts": pd.DataFrame(verdicts)}
    warnings = []
    if not study.separate:
        warnings.append("components were fitted on the images that are scored; --images gives others to fit them on")
    if tables["verdicts"]["seed"].nunique() == 1:
        warnings.append("one seed only: intervals are over images and subjects, none over networks")
    return Findings(tables, _answer(tables["verdicts"]), warnings)


def _rebuilt(study, native, region, asked) -> dict:
    products = study.products(native, study.committed(native, region))
    found = study.components(native, study.committed(native, region))
    scores = found.scores(products, study.brain_rows)
    most = min(asked or reconstruction.KEPT[-1], len(found.values))
    return {kept: found.reconstructed_rdm(scores, kept, products.width) for kept in reconstruction.KEPT if kept <= most}


def _answer(verdicts: pd.DataFrame) -> str:
    parts = []
    for name, own in verdicts.groupby("benchmark", sort=False):
        counts = ", ".join(f"{kind} for {n}" for kind, n in own["verdict"].value_counts().items())
        best = own.loc[own["smallest_difference"].idxmax()]
        parts.append(
            f"{name}: {counts} of {len(own)} coarse models (best: {best['model']} minus native cut to {best['at']} "
            f"components, its hardest rival, {best['smallest_difference']:+.3f}, {best['low']:+.3f} to "
            f"{best['high']:+.3f})"
        )
    return '"Coarse training is more than dimensionality reduction" is ' + "; ".join(parts) + "."


def draw(findings) -> dict:
    pairs = findings.tables["pairs"]
    names = list(dict.fromkeys(pairs["benchmark"]))
    with drawing.pyplot() as plt:
        figure, axes = plt.subplots(1, len(names), figsize=(7.1, 2.8), sharey=True, squeeze=False)
        for axis, name, title in zip(axes[0], names, drawing.short(names), strict=True):
            rows = pairs[pairs["benchmark"] == name]
            for _, own in rows.groupby("native", sort=False):
                once = own.drop_duplicates("kept")
                axis.plot(once["kept"], once["rebuilt"], "o-", color=style.INK, markersize=2.5, linewidth=1,
                          label="native, top M components")  # fmt: skip
            for _, own in rows.groupby("model", sort=False):
                axis.axhline(
                    own["coarse"].iloc[0], linewidth=0.9, **drawing.look(own.iloc[0]), label=drawing.name(own.iloc[0])
                )
            axis.set_xscale("log")
            axis.set_title(title, loc="left")
            axis.set_xlabel("components kept, M")
        axes[0, 0].set_ylabel("RSA (Spearman)")
        drawing.legend_below(figure, axes[0, 0], 7, 0.13)
    return {
        "reconstruction": (
            figure,
            "Alignment of the native network rebuilt from its M leading components (dots), and of networks trained on "
            "coarse classes (lines). Layers were chosen on other stimuli.",
        )
    }


ANALYSIS = Analysis(
    name="reconstruction",
    question="Is coarse training just dimensionality reduction?",
    how_to_read=(
        "The native network is cut to its M leading principal components, fitted on images that are not scored where "
        "--images gives them. A coarse network supports the claim of being more than that only if it aligns better "
        "than the native one cut to any M (every q < 0.05 over all pairs of the benchmark); one better M refutes "
        "it. The comparison was fixed beforehand: no M is chosen by its result."
    ),
    run=run,
    draw=draw,
    version=2,
)
