"""The one-file HTML report: no script, no network, opens from disk."""

from __future__ import annotations

import html
import math
import time
from pathlib import Path

import pandas as pd

from ..paths import write_atomically
from .summary import best, by_condition, is_best, number

STYLE = """
:root { color-scheme: light dark; --ink: #222; --muted: #667; --line: #ddd; --paper: #fff; --mark: #fff3d6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --muted: #a0a4ad; --line: #3a3d44; --paper: #17181b; --mark: #40361c; }
}
body { margin: 0 auto; max-width: 66rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.answer { font-size: 1.12rem; }
.simulated { background: var(--mark); padding: .6rem .9rem; border-radius: .4rem; }
.muted, figcaption { color: var(--muted); font-size: .9rem; }
figure { margin: 1.2rem 0; } figure .canvas { background: #fff; border-radius: .4rem; padding: .4rem; }
figure .canvas { overflow-x: auto; } figure svg { width: 100%; min-width: 44rem; height: auto; display: block; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; line-height: 1.3; vertical-align: top; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } td small { color: var(--muted); font-weight: 400; }
td.best { font-weight: 650; } dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; font-size: .9rem; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
"""


def write_world_report(scores: pd.DataFrame, records: list[dict], figure: str, path: Path) -> None:
    """Report of the embedded study. figure: the SVG of the scores."""
    summary = by_condition(scores)
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Alignment against granularity: the embedded world</title><style>{STYLE}</style></head><body><main>
<h1>At what granularity must images be carved up for a network to become brain-like?</h1>
<p class="answer">{answer(summary)}</p>
<p class="simulated"><strong>Simulated subjects.</strong> Images and brains of this report are made by a program, so that
the right answer is known. It shows that the method finds the right granularity; it says nothing about real brains.</p>
<figure><div class="canvas">{_inline(figure)}</div>
<figcaption>Alignment with simulated subjects against the number of classes a network was trained on. A dot is a network
(one random seed), the line their mean, the band the 95% bootstrap interval over stimuli. 1 is the upper noise ceiling: the
best that any model could do given the noise of the subjects. Classes at 2 to 64 are cut along the principal components of
another network's features; native are the 64 classes of the world itself.</figcaption></figure>
<h2>Every benchmark</h2>
<div class="scroll">{_table(summary)}</div>
<p class="muted">Mean over seeds of the share of the noise ceiling, with the 95% interval over stimuli. Bold: the best
trained condition of the column, where its interval excludes 0. The noise ceiling rows give the raw score that the value 1 stands for (upper) and the
leave-one-subject-out bound (lower).</p>
<h2>How to read it</h2>
<p class="muted">The coarse brain tells creatures from artefacts above all else, the fine brain tells textures and palettes
apart, and the null brain has nothing to do with the images. A method that works puts the peak at few classes for the
first, at many for the second, and finds nothing for the third.</p>
<h2>Where the numbers come from</h2>{_provenance(records)}
</main></body></html>
"""
    write_atomically(Path(path), page)


def answer(summary: pd.DataFrame) -> str:
    """The study in one sentence."""
    parts = []
    for benchmark, brain in (("World.IT-rsa", "coarse"), ("World_fine.IT-rsa", "fine")):
        row = best(summary, benchmark)
        if row is not None:
            classes = "the 64 native classes" if row["condition"] == "native" else f"{row['condition']} classes"
            parts.append(
                f"networks trained on <strong>{classes}</strong> align best with the {brain}-dominated simulated brain "
                f"({row['value']:.2f} of its noise ceiling, 95% interval {row['low']:.2f} to {row['high']:.2f})"
            )
    sentence = " and ".join(parts)
    return sentence[:1].upper() + sentence[1:] + "." if sentence else "No scores yet."


def _table(summary: pd.DataFrame) -> str:
    benchmarks = list(dict.fromkeys(summary["benchmark"]))
    head = "".join(f"<th scope=col>{html.escape(name).replace('.', '.<br>')}</th>" for name in benchmarks)
    rows = []
    for name in summary["condition"].cat.categories:
        cells = []
        for benchmark in benchmarks:
            row = summary[(summary["benchmark"] == benchmark) & (summary["condition"] == name)]
            cells.append(_cell(row.iloc[0], is_best(summary, benchmark, name)) if len(row) else "<td>-</td>")
        label = f"{name} classes" if name.isdigit() else name
        rows.append(f"<tr><th scope=row>{label}</th>{''.join(cells)}</tr>")
    for bound in ("upper", "lower"):
        ceilings = (summary.loc[summary["benchmark"] == b, f"ceiling_{bound}"].iloc[0] for b in benchmarks)
        cells = "".join(f"<td>{value:.3f}</td>" for value in ceilings)
        rows.append(f"<tr><th scope=row>noise ceiling, {bound}</th>{cells}</tr>")
    return f"<table><thead><tr><th scope=col>trained on</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _cell(row: pd.Series, bold: bool) -> str:
    interval = (
        "" if math.isnan(row["low"]) else f"<br><small>{number(row['low'], 2)} to {number(row['high'], 2)}</small>"
    )
    return f"<td{' class=best' if bold else ''}>{number(row['value'])}{interval}</td>"


def _provenance(records: list[dict]) -> str:
    newest = max(records, key=lambda record: record.get("started", ""))
    facts = {
        "written": time.strftime("%Y-%m-%d %H:%M"),
        "scores": f"{len(records)}, all through Brain-Score's load_model, load_benchmark and score_benchmark",
        "command": "granularity demo",
        **newest.get("versions", {}),
        "git commit": newest.get("git_commit") or "not a git checkout",
    }
    return (
        "<dl>" + "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(str(v))}</dd>" for k, v in facts.items()) + "</dl>"
    )


def _inline(svg: str) -> str:
    """An SVG document as an element of the page, with a name for screen readers."""
    body = svg[svg.index("<svg") :]
    return body.replace("<svg ", '<svg role="img" aria-label="Alignment against granularity" ', 1)
