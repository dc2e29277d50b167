"""Do auxiliary losses and curricula do better than plain fine and plain coarse training?"""

from __future__ import annotations

import pandas as pd

from brainscore_granularity import rsa
from brainscore_granularity.report import style

from .. import drawing, snapshots
from ..base import Analysis, Findings, NotApplicable
from ..measures import objectives


def run(study) -> Findings:
    runs, layer = snapshots.of(study)
    study.brain_rows  # noqa: B018  an error where there are no brains
    plain = sorted((run for run in runs if run.objective == "classify"), key=lambda run: run.k)
    if len(plain) != 2 or plain[0].k == plain[1].k or len(runs) < 3:
        raise NotApplicable(
            f"needs two plain runs, one coarse and one fine, and others; got {len(plain)} plain of {len(runs)} runs"
        )
    coarse, fine = plain
    paths, settings, rdms = snapshots.shown(study.seen), study.settings, {}
    for each in runs:
        features = snapshots.features(each, each.last(), paths, [layer])[layer]
        rdms[each.label] = rsa.rdm(features.reshape(len(features), -1))
    found = []
    for brain in study.brains:
        table = objectives.table(rdms, brain.rdms, (fine.label, coarse.label), settings.resamples, settings.resamples,
                                 settings.seed)  # fmt: skip
        names = {f"{start}against {run.label}": f"{start}against {kind}" for start in ("", "low ", "high ", "q ")
                 for run, kind in ((fine, "fine"), (coarse, "coarse"))}  # fmt: skip
        found.append(table.rename(columns=names).assign(benchmark=brain.name, layer=layer))
        study.say(f"objectives: {brain.name}")
    table = pd.concat(found, ignore_index=True)
    notes = ["one network per objective: intervals are over images and subjects, none over networks"]
    return Findings({"objectives": table}, _answer(table, fine, coarse, layer), notes)


def _answer(table, fine, coarse, layer) -> str:
    parts = []
    for name, own in table[~table["objective"].isin([fine.label, coarse.label])].groupby("benchmark", sort=False):
        best = own.loc[own["value"].idxmax()]
        better = ((own["against fine"] > 0) & (own["q against fine"] < 0.05)
                  & (own["against coarse"] > 0) & (own["q against coarse"] < 0.05)).sum()  # fmt: skip
        parts.append(
            f"{name}: {better} of {len(own)} (highest: {best['objective']}, {_difference(best, 'fine')} and "
            f"{_difference(best, 'coarse')})"
        )
    return (
        f"Objectives that align better than both {fine.label} and {coarse.label} in {layer}, each at q < 0.05: "
        + "; ".join(parts)
        + "."
    )


def _difference(row, kind) -> str:
    return (
        f"against {kind} {row[f'against {kind}']:+.3f}, {row[f'low against {kind}']:+.3f} to "
        f"{row[f'high against {kind}']:+.3f}"
    )


def draw(findings) -> dict:
    table = findings.tables["objectives"]
    names, rows = list(dict.fromkeys(table["benchmark"])), list(dict.fromkeys(table["objective"]))
    with drawing.pyplot() as plt:
        figure, axes = plt.subplots(1, len(names), figsize=(7.1, 0.8 + 0.25 * len(rows)), sharey=True, squeeze=False)
        for axis, name, title in zip(axes[0], names, drawing.short(names), strict=True):
            own = table[table["benchmark"] == name].set_index("objective").loc[rows]
            kinds = [("fine" if pd.isna(a) else "coarse" if pd.isna(b) else "other")
                     for a, b in zip(own["against fine"], own["against coarse"], strict=True)]  # fmt: skip
            for i, (kind, row) in enumerate(zip(kinds, own.itertuples(), strict=True)):
                colour = style.COLOURS.get(kind, style.INK)
                axis.plot([row.low, row.high], [i, i], color=colour, linewidth=1.2)
                axis.plot(row.value, i, "o", color=colour, markersize=4)
                if kind != "other":
                    axis.axvline(row.value, color=colour, linewidth=0.6, linestyle=":")
            axis.axvline(0, color=style.MUTED, linewidth=0.6)
            axis.set_title(title, loc="left")
            axis.set_xlabel("RSA (Spearman)")
            axis.set_yticks(range(len(rows)), rows)
        axes[0, 0].set_ylim(len(rows) - 0.5, -0.5)
        figure.tight_layout()
    return {
        "objectives": (
            figure,
            f"Alignment of {table['layer'].iloc[0]} by objective, with 95% intervals; dotted lines: plain coarse and "
            "plain fine training.",
        )
    }


ANALYSIS = Analysis(
    name="objectives",
    question="Do an auxiliary coarse loss or a coarse-to-fine curriculum align better than plain training?",
    how_to_read=(
        "Every objective against plain fine and plain coarse training of the same data, in one layer that was fixed "
        "beforehand. An objective has gained only if it is better than both, at q < 0.05 over all differences of the "
        "benchmark; the intervals of differences are in the table and do not follow from those of single objectives."
    ),
    run=run,
    draw=draw,
    needs=(),
    inputs=snapshots.inputs,
)
