"""Is it accuracy? Networks compared where they are equally good at one task."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainscore_granularity import rsa, stats
from brainscore_granularity.report import style

from .. import drawing, snapshots
from ..base import Analysis, Findings, NotApplicable
from ..measures import matched, usefulness


def run(study) -> Findings:
    runs, layer = snapshots.of(study)
    study.brain_rows  # noqa: B018  an error where there are no brains
    if study.labels is None:
        raise NotApplicable("needs a task, to tell the classes of images apart: add --images, a folder <class>/<image>")
    if len(runs) < 2:
        raise NotApplicable("needs two training runs or more")
    reference = max(runs, key=lambda run: (run.native, run.k))
    settings, rows, tracks = study.settings, [], {brain.name: {} for brain in study.brains}
    for each in runs:
        steps, accuracy, rdms = _along(study, each, layer)
        for brain in study.brains:
            samples = stats.bootstrap(rdms, brain.rdms, n=settings.resamples, fraction=None, seed=settings.seed)
            samples = samples.reshape(settings.resamples, len(steps), -1).mean(axis=2)
            values = np.array([np.mean([rsa.compare(rdm, own) for own in brain.rdms]) for rdm in rdms])
            tracks[brain.name][each.label] = matched.Track(accuracy, values, samples)
            rows.append(pd.DataFrame({"run": each.label, "k": each.k, "labels": each.labels,
                                      "benchmark": brain.name, "step": steps, "accuracy": accuracy,
                                      "alignment": values}).assign(layer=layer))  # fmt: skip
        study.say(f"matched: {each.label}")
    found = pd.concat(
        [matched.table(own, reference.label).assign(benchmark=name) for name, own in tracks.items()], ignore_index=True
    )
    notes = [
        snapshots.STATISTICS,
        "one network per condition: intervals are over the brains' images, none over networks or the task's images",
        f"accuracy is that of a linear probe on {layer}, the same {len(set(study.labels))} classes for all",
    ]
    return Findings({"matched": found, "tracks": pd.concat(rows, ignore_index=True)}, _answer(found, reference), notes)


def _along(study, each, layer):
    """Steps, probe accuracy and RDMs on the brains' images, of all snapshots."""
    task, seen = snapshots.shown(study.images), snapshots.shown(study.seen)
    paths = task + seen if study.separate else task
    folds = max(2, min(5, int(np.unique(study.labels, return_counts=True)[1].min())))
    steps, accuracy, rdms = [], [], []
    for step, features in snapshots.along(each, paths, layer):
        flat = features[study.brain_rows].reshape(len(seen), -1)
        try:
            rdms.append(rsa.rdm(flat))
        except rsa.DegenerateFeatures as error:
            study.say(f"matched: {each.label}, step {step} left out: {error}")
            continue
        right = usefulness.linear_probe(snapshots.pooled(features[study.rows]), study.labels, folds,
                                        study.settings.seed)  # fmt: skip
        steps.append(step)
        accuracy.append(right.mean())
    return steps, np.array(accuracy), np.stack(rdms)


def _answer(found, reference) -> str:
    level = found["level"].min()  # the one that all networks reach
    rows = found[(found["level"] == level) & (found["model"] != reference.label)]
    parts = []
    for name, own in rows.groupby("benchmark", sort=False):
        said = ", ".join(f"{row.model} {row.difference:+.3f} ({row.difference_low:+.3f} to {row.difference_high:+.3f}, "
                         f"q {row.q:.3f})" for row in own.itertuples())  # fmt: skip
        parts.append(f"{name}: {said}")
    return (
        f"Alignment minus that of {reference.label}, each where its probe first reaches {level:.3f}, the highest "
        f"accuracy that all reach: {'; '.join(parts)}."
    )


def draw(findings) -> dict:
    tracks = findings.tables["tracks"]
    level = findings.tables["matched"]["level"].min()
    names = list(dict.fromkeys(tracks["benchmark"]))
    with drawing.pyplot() as plt:
        figure, axes = plt.subplots(1, len(names), figsize=(7.1, 2.8), sharey=True, squeeze=False)
        for axis, name, title in zip(axes[0], names, drawing.short(names), strict=True):
            for label, own in tracks[tracks["benchmark"] == name].groupby("run", sort=False):
                look, x, y = drawing.look(own.iloc[0]), own["accuracy"], own["alignment"]
                axis.plot(x, y, linewidth=0.4, alpha=0.6, **look)
                axis.scatter(x, y, s=np.linspace(2, 30, len(own)), color=look["color"], linewidths=0, label=label)
            axis.axvline(level, color=style.MUTED, linewidth=0.6, linestyle="--")
            axis.set_title(title, loc="left")
            axis.set_xlabel("accuracy of a linear probe")
        axes[0, 0].set_ylabel("RSA (Spearman)")
        drawing.legend_below(figure, axes[0, 0], 6, 0.1)
    return {
        "matched": (
            figure,
            f"Alignment of {tracks['layer'].iloc[0]} against the accuracy of a linear probe on it, along training "
            "(dots are checkpoints, larger as training goes on). Dashed: the highest accuracy that all networks reach.",
        )
    }


ANALYSIS = Analysis(
    name="matched",
    question="Is the gain of coarse training a matter of accuracy?",
    how_to_read=(
        "Every checkpoint has an alignment and an accuracy on one task that is the same for all networks: a linear "
        "probe on the classes of --images. Networks are compared where each first reaches the same accuracy, "
        "interpolated linearly between checkpoints and never beyond them. A probe on untrained features is well above "
        "chance, so the accuracy that all reach may be reached early. One layer, fixed beforehand; q over all "
        "differences."
    ),
    run=run,
    draw=draw,
    needs=(),
    inputs=snapshots.inputs,
)
