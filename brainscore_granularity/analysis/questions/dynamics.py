"""When in training does alignment arise?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainscore_granularity import rsa
from brainscore_granularity.report import style

from .. import drawing, snapshots
from ..base import Analysis, Findings
from ..measures import dynamics


def run(study) -> Findings:
    runs, layer = snapshots.of(study)
    rows = study.brain_rows  # raises if there are no brains
    paths, settings = snapshots.shown(study.seen), study.settings
    native = next((run for run in runs if run.native), None)
    if native is not None:
        native = snapshots.features(native, native.weights(native.steps[-1]), paths, [layer])[layer]
    courses, halves, shared, notes = [], [], [], ["one network per condition: intervals are over images only"]
    notes.append(snapshots.STATISTICS)
    for each in runs:
        steps, rdms = [], []
        for step, features in snapshots.along(each, paths, layer):
            flat = features.reshape(len(rows), -1)
            try:
                rdms.append(rsa.rdm(flat))
            except rsa.DegenerateFeatures as error:
                notes.append(f"{each.label}, step {step} left out: {error}")
                continue
            steps.append(step)
            if native is not None:
                try:
                    found = dynamics.against(flat, native)
                except ValueError as error:
                    notes.append(f"{each.label}, step {step}: not compared with native, {error}")
                    continue
                shared.append(found.assign(run=each.label, k=each.k, step=step))
        for brain in study.brains:
            found = dynamics.course(
                steps, np.stack(rdms), brain.rdms, settings.resamples, settings.resamples, settings.seed
            )
            about = {"run": each.label, "k": each.k, "labels": each.labels, "benchmark": brain.name}
            courses.append(found.table.assign(**about, layer=layer))
            halves.append(about | {"half": found.half, "low": found.low, "high": found.high,
                                   "unreached": found.unreached, "gain": np.ptp([found.table["value"].iloc[0],
                                   found.table["value"].iloc[-1]]) * np.sign(found.table["value"].iloc[-1]
                                   - found.table["value"].iloc[0])})  # fmt: skip
        study.say(f"dynamics: {each.label}")
    tables = {"courses": pd.concat(courses, ignore_index=True), "halves": pd.DataFrame(halves)}
    if shared:
        tables["native"] = pd.concat(shared, ignore_index=True)
    return Findings(tables, _answer(tables["halves"], layer), notes)


def _answer(halves, layer) -> str:
    parts = []
    for name, own in halves.groupby("benchmark", sort=False):
        said = ", ".join(
            f"{row.run} {row.half:.0f} ({row.low:.0f} to {row.high:.0f})"
            if row.half == row.half
            else f"{row.run} never"
            for row in own.itertuples()
        )
        parts.append(f"{name}: {said}")
    return f"Step at which half of the gain in alignment over the first network is reached, in {layer}: " + (
        "; ".join(parts) + "."
    )


def draw(findings) -> dict:
    courses = findings.tables["courses"]
    names = list(dict.fromkeys(courses["benchmark"]))
    with drawing.pyplot() as plt:
        figure, axes = plt.subplots(1, len(names), figsize=(7.1, 2.8), sharey=True, squeeze=False)
        for axis, name, title in zip(axes[0], names, drawing.short(names), strict=True):
            for label, own in courses[courses["benchmark"] == name].groupby("run", sort=False):
                look = drawing.look(own.iloc[0])
                axis.plot(own["step"], own["value"], marker="o", markersize=2, linewidth=0.9, label=label, **look)
                axis.fill_between(own["step"], own["low"], own["high"], color=look["color"], alpha=0.1, linewidth=0)
            axis.axhline(0, color=style.MUTED, linewidth=0.6)
            axis.set_xscale("symlog", linthresh=1, linscale=0.3)
            axis.set_xlim(left=0)
            axis.set_title(title, loc="left")
            axis.set_xlabel("training step")
        axes[0, 0].set_ylabel("RSA (Spearman)")
        drawing.legend_below(figure, axes[0, 0], 6, 0.1)
    return {
        "dynamics": (
            figure,
            f"Alignment of {courses['layer'].iloc[0]} along training, mean over subjects; bands are 95% intervals over "
            "images.",
        )
    }


ANALYSIS = Analysis(
    name="dynamics",
    question="When in training does alignment arise, and earlier for coarse classes?",
    how_to_read=(
        "Alignment at every step at which the run kept its weights. The step at which half of the gain over the first "
        "step is reached has an interval from resamples of images, the same at every step; it is 'never' if the last "
        "network aligns no better than the first. One layer, fixed beforehand. Table native: RSA with the "
        "trained native network within the first k components of each."
    ),
    run=run,
    draw=draw,
    needs=(),
    inputs=snapshots.inputs,
)
