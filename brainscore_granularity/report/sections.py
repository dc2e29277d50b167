"""The parts of the page: figures, matrix, analyses, provenance. Each returns HTML."""

from __future__ import annotations

import html
import json
import time
from collections import Counter
from pathlib import Path

import pandas as pd

from brainscore_granularity.runner import results

from . import curves, drawing, embed
from .summary import number

esc = html.escape


def tag(simulated: bool) -> str:
    return ' <span class="tag">simulated</span>' if simulated else ""


def figures(panels: list[curves.Panel], natives: dict[str, int], name: str, small: bool = False) -> str:
    """The panels of each family side by side, on one vertical axis, with their numbers to download."""
    out = []
    groups: dict[tuple, list[curves.Panel]] = {}
    for panel in panels:
        groups.setdefault((panel.simulated, panel.family), []).append(panel)
    for (simulated, family), own in groups.items():
        domain = drawing.domains(own)
        drawn = []
        for panel in own:
            left_out = (
                f" {panel.left_out} networks without all of these benchmarks are left out." if panel.left_out else ""
            )
            note = "" if small else f"<figcaption>{esc(', '.join(panel.benchmarks))}.{left_out}</figcaption>"
            drawn.append(f"<figure><h4>{esc(panel.title)}</h4>{drawing.draw(panel, domain, natives.get(family))}"
                         f"{_legend(panel)}{note}</figure>")  # fmt: skip
        tidy = curves.tidy(own)
        brains = "simulated brains" if simulated else "measured brains"
        out.append(
            f"<h3>{esc(family)}: {brains}{tag(simulated)}</h3>"
            f'<div class="panels{" small" if small else ""}">{"".join(drawn)}</div>'
            f"<p>{embed.csv_link(tidy, f'{name}_{family}', 'the numbers of these panels')}</p>"
            + ("" if small else _numbers(tidy))
        )
    return "".join(out)


def _legend(panel: curves.Panel) -> str:
    items = []
    for i, line in enumerate(panel.lines):
        items.append(f'<li class="{drawing.css_class(line)}"><svg viewBox="-16 -8 32 16" aria-hidden="true"><path class="curve" d="M-16 0H16"/>'
                     f'<path class="mean" d="{drawing.shape(line, i)}"/></svg> <span style="color:var(--ink)">{esc(line.name)}</span>')  # fmt: skip
    return f'<ul class="legend">{"".join(items)}</ul>'


def _numbers(tidy: pd.DataFrame) -> str:
    rows = tidy[tidy["kind"] == "mean"]
    body = "".join(
        f"<tr><th scope=row>{esc(r.panel)}<td class=text>{esc(r.line)}<td>{r.classes}<td>{number(r.value)}"
        f"<td>{'' if pd.isna(r.low) else f'{number(r.low)} to {number(r.high)}'}<td>{number(r.raw)}<td>{r.seeds:.0f}"
        for r in rows.itertuples()
    )
    head = "".join(f"<th scope=col>{n}" for n in ("panel", "line", "classes", "value", "95% interval", "raw", "seeds"))
    return (f'<details><summary>The numbers as a table</summary><div class="scroll" tabindex="0"><table><thead><tr>{head}'
            f"</thead><tbody>{body}</tbody></table></div></details>")  # fmt: skip


def matrix(records: list[dict], models: list[str]) -> str:
    """Models by benchmarks, to sort and filter."""
    table = results.table(records)
    benchmarks = list(dict.fromkeys(table["benchmark"]))
    simulated = set(table.loc[table["simulated"].astype(bool), "benchmark"])
    cells = {(r.model, r.benchmark): _cell(r) for r in table.itertuples()}
    head = "".join(
        f'<th scope="col"><button type="button">{esc(b).replace(".", ".<wbr>")}</button>{tag(b in simulated)}</th>'
        for b in benchmarks
    )
    rows = "".join(
        f'<tr><th scope="row"><a href="#model-{esc(m)}">{esc(m)}</a></th>'
        + "".join(cells.get((m, b), "<td>-</td>") for b in benchmarks)
        + "</tr>"
        for m in models
    )
    return (
        '<div class="tools" hidden><label>Filter by words of the name <input id="filter" type="search"></label>'
        f'<span id="shown" role="status">{len(models)} shown</span></div>'
        '<div class="scroll" tabindex="0" role="region" aria-label="Models by benchmarks"><table id="matrix"><thead><tr>'
        f'<th scope="col"><button type="button">model</button></th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        '<p class="muted">Share of the noise ceiling, or the raw score where no ceiling is known; a dash: not scored yet.</p>'
        f"<p>{embed.csv_link(table, 'scores', 'all scores')} &middot; "
        f"{embed.csv_link(results.long_table(records), 'scores_by_subject_and_layer', 'every subject and layer', digits=5)}</p>"
    )


def _cell(row) -> str:
    if row.status != "ok":
        return f'<td data-tip="{esc(str(row.reason))}">failed</td>'
    interval = "" if pd.isna(row.interval_low) else f", {number(row.interval_low)} to {number(row.interval_high)}"
    raw = row.value if pd.isna(row.raw) else row.raw
    return (f'<td style="--v:{min(max(row.value, 0), 1):.2f}" data-r="{number(raw)}" '
            f'data-tip="{esc(row.benchmark)}: {number(row.value)}{interval}">{number(row.value)}</td>')  # fmt: skip


def analyses(folder: Path) -> str:
    """Every analysis in ``<results>/analyses``: its question, answer, figures and tables."""
    out = []
    for path in sorted(Path(folder, "analyses").glob("*/analysis.json")):
        try:
            found = json.loads(path.read_text())
            out.append(_analysis(found, path.parent))
        except (OSError, ValueError, KeyError, TypeError) as error:
            out.append(f"<h3>{esc(path.parent.name)}</h3><p>{esc(str(path))} cannot be read: {esc(str(error))}</p>")
    return "".join(out) or ("<p class=muted>None in this folder yet.</p>")


def _analysis(found: dict, folder: Path) -> str:
    parts = [f"<h3>{esc(found['name'])}{tag(found.get('simulated', False))}</h3>", f"<p>{esc(found['question'])}</p>"]
    parts.append(f"<p><strong>{esc(found['answer'])}</strong></p>")
    # A figure may exist as SVG and as PDF; show it once.
    captions = {
        Path(f["file"]).with_suffix(".svg"): f.get("caption") or found["name"] for f in found.get("figures", [])
    }
    for name, caption in captions.items():
        svg = folder / name
        if svg.exists():
            image = embed.svg_image(svg.read_text(), caption)
            parts.append(f"<figure>{image}<figcaption>{esc(caption)}</figcaption></figure>")
    parts.append(f"<p class=muted>How to read it: {esc(found['how_to_read'])}</p>")
    parts += [f"<p class=muted>Warning: {esc(str(w))}</p>" for w in found.get("warnings", [])]
    for name in found.get("tables", []):
        file = (folder / name).with_suffix(".csv")
        if file.exists():
            link = embed.csv_link(pd.read_csv(file), f"{found['name']}_{file.stem}", file.stem)
            parts.append(f"<p>{link}</p>")
    parts.append(f"<p class=muted><code>{esc(found.get('command', ''))}</code></p>")
    return "".join(parts)


def provenance(records: list[dict], folder: Path) -> str:
    """Versions, commits, hashes and commands, with how many scores each belongs to."""
    facts = {"written": time.strftime("%Y-%m-%d %H:%M %z")}
    counts = Counter(r["status"] for r in records)
    facts["scores"] = ", ".join(f"{n} {'scored' if s == 'ok' else s}" for s, n in counts.items())
    versions: dict[str, Counter] = {}
    for r in records:
        for name, version in {**(r.get("versions") or {}), "git commit": r.get("git_commit") or "none"}.items():
            versions.setdefault(name, Counter())[version] += 1
    for name, found in versions.items():
        facts[name] = ", ".join(v if len(found) == 1 else f"{v} ({n} scores)" for v, n in found.most_common())
    started = sorted(r["started"] for r in records if r.get("started"))
    if started:
        facts["scored between"] = f"{started[0]} and {started[-1]}"
    facts["time of scoring"] = f"{sum(r.get('seconds') or 0 for r in records) / 60:.1f} minutes together"
    name = Path(folder).name
    facts["this page again"] = f"granularity report {name}"
    failed = [r for r in records if r["status"] != "ok"]
    reasons = "".join(
        f"<li>{esc(r['model'])} on {esc(r['benchmark'])}: {esc(str(r.get('reason')))}" for r in failed[:50]
    )
    return (
        "<dl>" + "".join(f"<dt>{esc(k)}</dt><dd>{esc(str(v))}</dd>" for k, v in facts.items()) + "</dl>"
        + (f"<h3>Failed pairs</h3><ul>{reasons}</ul>" if failed else "")
        + "<p class=muted>The hash of the weights of every score is on the page of its model and in the tables.</p>"
    )  # fmt: skip
