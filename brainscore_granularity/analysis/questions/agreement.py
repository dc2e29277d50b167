"""One effect at several scales of measurement?"""

from __future__ import annotations

from brainscore_granularity.report import style
from brainscore_granularity.runner import results

from .. import drawing
from ..base import Analysis, Findings, NotApplicable
from ..measures import agreement

RELATED = 0.05


def records(study) -> list[dict]:
    """The scores of the study's models on its benchmarks, from the folder of results."""
    names = {brain.name for brain in study.brains}
    folder = study.results
    found = results.read_all(folder) if folder is not None and folder.is_dir() else []
    return [record for record in found if record["model"] in study.models and record["benchmark"] in names]


def run(study) -> Findings:
    names = [brain.name for brain in study.brains]
    scored = [record for record in records(study) if record["status"] == "ok"]
    if len({record["benchmark"] for record in scored}) < 2:
        raise NotApplicable(
            f"needs scores on two benchmarks or more in {study.results}; `granularity score` with the same --models, "
            "--benchmarks and --results makes them"
        )
    table = agreement.from_records(scored, {name: name for name in names})
    found = agreement.agreement(table, permutations=study.settings.resamples, seed=study.settings.seed)
    notes = [*found.warnings, *_without_one_k(table, study.settings.seed)]
    tables = {"slopes": found.slopes, "effects": found.effects, "curves": found.curves, "pairs": found.pairs}
    return Findings(tables, _answer(found), notes)


def _without_one_k(table, seed) -> list[str]:
    """Warnings about slopes that depend on a single K."""
    classes = sorted(table["k"].dropna().unique())
    if len(classes) < 4:
        return ["fewer than four K: no slope can be checked without one of them"]
    notes = []
    full = agreement.agreement(table, 1, seed).slopes.set_index("scale")
    for k in classes:
        left = agreement.agreement(table[table["k"] != k], 1, seed).slopes.set_index("scale")
        lost = [scale for scale in full.index if _certain(full.loc[scale]) and not _certain(left.loc[scale])]
        if lost:
            told = ", ".join(f"{name} {left.loc[name, 'slope']:+.3f} ({left.loc[name, 'low']:+.3f} to "
                             f"{left.loc[name, 'high']:+.3f})" for name in lost)  # fmt: skip
            notes.append(f"depends on K = {k}: without it the slope is {told}")
    return notes


def _certain(row) -> bool:
    return row["low"] > 0 or row["high"] < 0


def _answer(found) -> str:
    slopes = ", ".join(f"{row.scale} {row.slope:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
                       for row in found.slopes.itertuples())  # fmt: skip
    curves = ", ".join(f"{row.scale} and {row.other} {row.correlation:.2f} ({_p(row.p)})"
                       for row in found.pairs.itertuples())  # fmt: skip
    effects = ", ".join(f"{row.scale} {_p(row.p)}" for row in found.effects.itertuples() if row.p == row.p)
    verdict = "differ between scales" if found.p_differ < RELATED else "cannot be told apart between scales"
    matters = f"K matters in any way: {effects}" if effects else "whether K matters otherwise is not tested"
    return (
        f"Changes of the relative score with a doubling of K {verdict} ({_p(found.p_differ)}), with 95% intervals over "
        f"networks and subjects: {slopes}; {matters}; Spearman correlations of the curves over K: {curves}."
    )


def _p(p: float) -> str:
    return f"p {p:.3f}" if p == p else "not tested"


def draw(findings) -> dict:
    curves, slopes = findings.tables["curves"], findings.tables["slopes"]
    colours = [style.COLOURS[name] for name in ("fMRI", "spiking", "behaviour", "V1", "fine")]
    with drawing.pyplot() as plt:
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.1, 2.6), width_ratios=(3, 2))
        for i, row in enumerate(slopes.itertuples()):
            own, colour = curves[curves["scale"] == row.scale], colours[i % len(colours)]
            left.plot(own["k"].astype(float), own["relative"], "o-", markersize=3, linewidth=1, color=colour,
                      label=row.scale)  # fmt: skip
            right.plot([row.low, row.high], [i, i], color=colour, linewidth=1.5)
            right.plot(row.slope, i, "o", color=colour, markersize=4)
        left.axhline(1, color=style.GRID, linewidth=0.8, zorder=0)
        left.set_xscale("log", base=2)
        ticks = sorted(curves["k"].astype(int).unique())
        left.set_xticks(ticks, [str(k) for k in ticks])
        left.set_xlabel("classes in training, K")
        left.set_ylabel("score relative to its scale's mean")
        left.legend(frameon=False, fontsize=6)
        right.axvline(0, color=style.MUTED, linewidth=0.6)
        right.set_yticks(range(len(slopes)), slopes["scale"])
        right.set_ylim(len(slopes) - 0.5, -0.5)
        right.set_xlabel("change per doubling of K")
        figure.tight_layout()
    return {
        "agreement": (
            figure,
            "Left: mean score of the committed layer over K, divided by the mean of its benchmark. Right: slope per "
            "doubling of K with its 95% interval over networks and subjects.",
        )
    }


ANALYSIS = Analysis(
    name="agreement",
    question="One effect at several scales: do behaviour, spiking and fMRI change alike with K?",
    how_to_read=(
        "Scores of each benchmark are divided by their mean, so that curves over K share an axis. Networks (label "
        "source, K and seed) and subjects are random factors: slopes per doubling of K have intervals for other "
        "networks and subjects, and a p of 'all slopes are equal'. Whether K matters in any way is tested by an "
        "analysis of variance of the networks' means; curves are correlated by rank, between networks of different "
        "seeds, with K shuffled for the null. Both tests need two networks per K. Slopes that cannot be told apart "
        "need not be equal: look at the intervals. Slopes are of straight lines in log2 K; that of a curve that rises "
        "and falls may be 0."
    ),
    run=run,
    draw=draw,
    needs=(),
    inputs=records,
)
