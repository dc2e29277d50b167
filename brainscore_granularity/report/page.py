"""The one-file HTML report: needs no network, opens from disk, and is complete without scripts."""

from __future__ import annotations

from pathlib import Path

from brainscore_granularity.paths import write_atomically
from brainscore_granularity.runner import results

from . import answer, comparison, conditions, curves, layer_figure, model_pages, sections

HERE = Path(__file__).parent
SIMULATED = (
    '<p class="simulated"><strong>Simulated subjects.</strong> What is marked <span class="tag">simulated</span> was '
    "measured on brains that a program makes, so that the right answer is known. It shows that the method finds the right "
    "granularity; it says nothing about real brains.</p>"
)
READING = """<p class="muted">A line is a source of labels, a filled mark the mean of its seeds at a number of classes, a
small open circle one seed; the band and the bars are 95% bootstrap intervals over stimuli. Values are shares of the noise
ceiling (dashed, with its lower bound in grey): the best that any model could do given the noise of the subjects. Grey dashed lines
are controls: random labels, and the same labels permuted over images. Untrained networks and those trained on the native
classes stand at the sides.</p>"""
LAYERS = """<p class="muted">A line is a number of classes, from dark (2) to pale (128 and more), the mean of its seeds; layers from
early to late. The mark is the layer that the network has committed to the region, chosen on other stimuli: the peak of a line is
not a fair score, because it was found on the stimuli that it is scored on. Controls and further sources of labels are in the numbers.</p>"""
TOOLS = """<div class="tools" hidden role="group" aria-label="What the figures show">
<label><input type="checkbox" id="seeds" checked> seeds</label><label><input type="checkbox" id="subjects"> subjects</label>
<label><input type="checkbox" id="raw"> raw scores</label><label><input type="checkbox" id="log" checked> log axis</label></div>"""


def write_report(
    folder: Path, path: Path, records: list[dict] | None = None, before: Path | None = None, reload: float | None = None,
    warn=None, layers: str = "committed",
) -> str:  # fmt: skip
    """Write the report of a results folder; returns its answer, without markup.

    records : the records of the folder, if already read. before : an earlier results folder to compare with.
    layers : "cv" shows the scores whose layer was chosen on the other half of the images, in both folders.
    reload : seconds after which an open page loads its newest version.
    """
    records = results.read_all(folder, warn) if records is None else records
    earlier = None if before is None else results.read_all(before, warn)
    if layers == "cv":
        records, earlier = results.cross_validated(records), earlier and results.cross_validated(earlier)
        if not records:
            raise ValueError(f"no score in {folder} is cross-validated; score with `granularity score --layers cv`")
    changed = None
    if earlier is not None:
        changed = comparison.section(comparison.changes(earlier, records), (Path(before).name, Path(folder).name))
    text, sentences = render(records, folder, changed, reload)
    write_atomically(Path(path), text)
    return " ".join(sentences).replace("<strong>", "").replace("</strong>", "")


def render(records: list[dict], folder: Path, changed: str | None = None, reload: float | None = None):
    """The page, and the sentences of its answer."""
    by_model: dict[str, list[dict]] = {}
    for record in records:
        by_model.setdefault(record["model"], []).append(record)
    models = conditions.models_in_order(by_model)
    cards = {model: model_pages.card(model) for model in models}
    natives = {
        results.describe(m)["family"]: c["classes"] for m, c in cards.items() if c and results.describe(m)["labels"] == conditions.NATIVE
    }  # fmt: skip
    scales, each = curves.by_scale(records), curves.by_benchmark(records)
    families = list(dict.fromkeys(panel.family for panel in scales if not panel.simulated))
    found = [s for s in (*(answer.measured(scales, f) for f in families), answer.simulated(scales)) if s]
    is_simulated = any(record.get("simulated") for record in records)
    for panel in each:
        panel.title = panel.title.replace("-rsa", "")
    pages = "".join(model_pages.page(model, by_model[model], cards[model]) for model in models)
    parts = {
        "granularity": ("Alignment against granularity", READING + TOOLS + sections.figures(scales, natives, "granularity")),
        "regions": ("Every benchmark", sections.figures(each, natives, "benchmarks", small=True)),
        "layers": ("Every layer", LAYERS + layers if (layers := layer_figure.section(records)) else ""),
        "scores": ("Models by benchmarks", sections.matrix(records, models)),
        "analyses": ("Analyses", sections.analyses(folder)),
        "models": ("Models", pages),
        "provenance": ("Where the numbers come from", sections.provenance(records, folder)),
    }  # fmt: skip
    parts = {name: (title, content) for name, (title, content) in parts.items() if content}
    links = "".join(f'<li><a href="#{name}">{title}</a>' for name, (title, _) in parts.items())
    links = ('<li><a href="#changes">What changed</a>' if changed else "") + links
    body = "".join(
        f'<section id="{name}"><h2>{title}</h2>{content}</section>' for name, (title, content) in parts.items()
    )
    answers = "".join(f'<p class="answer">{s}</p>' for s in found) or '<p class="answer">No scores of a ladder yet.</p>'
    text = f"""<!doctype html>
<html lang="en"{f' data-reload="{reload:g}"' if reload else ""}><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<title>Alignment against granularity</title><style>{(HERE / "report.css").read_text()}</style></head><body>
<a class="skip" href="#granularity">Skip to the figures</a>
<header><h1>At what granularity must images be carved up for a network to become brain-like?</h1>
{answers}{SIMULATED if is_simulated else ""}</header>
<nav aria-label="Parts of this page"><ul>{links}</ul></nav><main>{changed or ""}{body}</main>
<script>{(HERE / "report.js").read_text()}</script></body></html>
"""
    return text, found
