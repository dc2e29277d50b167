"""Behaviour, spiking and fMRI on the 92 images of Kriegeskorte et al. (2008): every layer, K against native and fitted.

``write`` fills the marked blocks of a Markdown page, so that every number in it comes from one command (``make
results``); the text between the blocks is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from brainscore_granularity import stats
from brainscore_granularity.paths import write_atomically
from brainscore_granularity.runner import results

from . import chosen_layers, conditions
from .measures import ONE_IMAGE_SET, SUBJECTS
from .scales_figure import scales_figure
from .summary import number, raw_interval


def layer_rdms(model: str) -> dict[str, np.ndarray]:
    """RDM of every candidate layer, from one forward pass, because the three benchmarks share their images."""
    from brainscore_vision import load_benchmark, load_model

    from brainscore_granularity.brains.layers import candidates, spooled

    benchmark, loaded = load_benchmark(ONE_IMAGE_SET["fMRI"]), load_model(model)
    with spooled(loaded, benchmark.shown_to(loaded), candidates(loaded), benchmark.order) as spools:
        return {name: benchmark.representation(spool, f"{model} {name}") for name, spool in spools.items()}


def every_layer(rdms: dict[str, dict[str, np.ndarray]], permutations: int = 999) -> pd.DataFrame:
    """One row per (scale, model, layer): raw score, and p corrected for the search among the model's layers."""
    from brainscore_vision import load_benchmark

    rows = []
    for scale, name in ONE_IMAGE_SET.items():
        benchmark = load_benchmark(name)
        for model, by_layer in rdms.items():
            p = benchmark.corrected_p(list(by_layer.values()), permutations)
            for (layer, rdm), chance in zip(by_layer.items(), p, strict=True):
                raw = benchmark.layer_scores(rdm)[0]
                rows.append({"scale": scale, "model": model, "layer": layer, "raw": raw, "p": chance})
    return pd.DataFrame(rows)


def against(baseline: str, rdms: dict, chosen: dict[tuple[str, str], str]) -> pd.DataFrame:
    """Each model minus the baseline of its seed, on the same resamples of images (and of subjects, if several).

    baseline : condition of the baseline: ``native``, or ``fitted`` to measure the effect of learning.
    chosen : {(scale, model): layer}

    Returns
    -------
    One row per (scale, model): difference of raw scores, 95% interval, p (two-sided), q over all rows
    (Benjamini-Hochberg).
    """
    from brainscore_vision import load_benchmark

    known = {model: results.describe(model) for model in rdms}
    by_seed = {about["seed"]: model for model, about in known.items() if about["labels"] == baseline}
    if not by_seed:
        raise ValueError(f"no {baseline} network among {', '.join(rdms)}")
    rows = []
    for scale, name in ONE_IMAGE_SET.items():
        subjects = load_benchmark(name).subject_rdms
        for model in rdms:
            other = by_seed.get(known[model]["seed"], next(iter(by_seed.values())))
            if known[model]["labels"] == baseline:
                continue
            found = stats.compare_models(rdms[model][chosen[scale, model]], rdms[other][chosen[scale, other]], subjects)
            rows.append(
                {
                    "scale": scale, "model": model, "difference": found.value, "low": found.low, "high": found.high,
                    "p": found.p,
                }
            )  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["q"] = false_discovery_control(frame["p"].to_numpy())
    return frame


def best_layers(layers: pd.DataFrame) -> dict[tuple[str, str], str]:
    """{(scale, model): layer with the highest score}, chosen on the same images that score it."""
    best = layers.loc[layers.groupby(["scale", "model"])["raw"].idxmax()]
    return {(row.scale, row.model): row.layer for row in best.itertuples()}


def scores_markdown(scores: pd.DataFrame) -> str:
    """Committed layers: raw score, interval and layer."""
    header = ["trained on", *(f"{scale} ({SUBJECTS[scale]})" for scale in ONE_IMAGE_SET), "layer"]
    rows = []
    for model, name in conditions.named_models(scores["model"].unique()).items():
        own = scores[scores["model"] == model].set_index("benchmark")
        cells = [_with_interval(own.loc[benchmark]) for benchmark in ONE_IMAGE_SET.values()]
        rows.append([name, *cells, ", ".join(dict.fromkeys(own["layer"]))])
    ceilings = scores.groupby("benchmark")[["ceiling_lower", "ceiling_upper"]].first()
    bounds = [
        f"{ceilings.loc[name].iloc[0]:.3f} to {ceilings.loc[name].iloc[1]:.3f}"
        if ceilings.loc[name].iloc[1] < 1
        else "not known"
        for name in ONE_IMAGE_SET.values()
    ]
    return markdown(header, [*rows, ["*noise ceiling*", *bounds, ""]])


def layers_markdown(layers: pd.DataFrame) -> str:
    """Best layer of every model, with its p value corrected for the search."""
    best, rows = best_layers(layers), []
    values = layers.set_index(["scale", "model", "layer"])
    for model, name in conditions.named_models(layers["model"].unique()).items():
        cells = []
        for scale in ONE_IMAGE_SET:
            layer = best[scale, model]
            cells.append(f"{number(values.loc[(scale, model, layer), 'raw'])} {layer}")
            cells.append(f"{values.loc[(scale, model, layer), 'p']:.3f}")
        rows.append([name, *cells])
    return markdown(["trained on", *(part for scale in ONE_IMAGE_SET for part in (scale, "p"))], rows)


def differences_markdown(found: pd.DataFrame) -> str:
    """Each model minus its baseline."""
    rows = []
    for model, name in conditions.named_models(found["model"].unique()).items():
        own = found[found["model"] == model].set_index("scale")
        cells = []
        for scale in ONE_IMAGE_SET:
            row = own.loc[scale]
            text = f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
            cells += [f"**{text}**" if row["q"] < 0.05 else text, f"{row['q']:.3f}"]
        rows.append([name, *cells])
    return markdown(["trained on", *(part for scale in ONE_IMAGE_SET for part in (scale, "q"))], rows)


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def fill(page: Path, blocks: dict[str, str]) -> None:
    """Replace what stands between ``<!-- NAME -->`` and ``<!-- end -->``; a block without a place is an error."""
    text = page.read_text(encoding="utf-8")
    for name, content in blocks.items():
        text, found = re.subn(rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m, c=content: f"{m[1]}{c}\n{m[2]}", text,
                              flags=re.S)  # fmt: skip
        if found != 1:
            raise ValueError(f"{page} needs one block <!-- {name} --> ... <!-- end -->, found {found}")
    write_atomically(page, text)


def write(scores: pd.DataFrame, page: Path, figure: Path, models: Iterable[str]) -> None:
    """Compute what is not in the scores, draw the figure, and fill the page."""
    models = conditions.models_in_order(models)
    scores = scores[scores["model"].isin(models) & scores["benchmark"].isin(ONE_IMAGE_SET.values())]
    failed = scores[scores["status"] != "ok"]
    if len(failed) or len(scores) < len(models) * len(ONE_IMAGE_SET):
        raise ValueError(
            f"{len(models) * len(ONE_IMAGE_SET) - len(scores) + len(failed)} scores are missing; score them first"
        )
    rdms = {model: layer_rdms(model) for model in models}
    layers = every_layer(rdms)
    scale_of = {name: scale for scale, name in ONE_IMAGE_SET.items()}
    committed = {(scale_of[row.benchmark], row.model): row.layer for row in scores.itertuples()}
    blocks = {
        "scores": scores_markdown(scores),
        "layers": layers_markdown(layers),
    }
    for which, chosen in (("committed", committed), ("best", best_layers(layers))):
        for baseline in (conditions.NATIVE, conditions.FITTED):
            blocks[f"{which} against {baseline}"] = differences_markdown(against(baseline, rdms, chosen))
    text = page.read_text(encoding="utf-8")
    if "<!-- cross-validated -->" in text:
        blocks["cross-validated"] = markdown(*chosen_layers.rows_of(chosen_layers.cross_validated(rdms)))
    if "<!-- cross-validated against native -->" in text:
        blocks["cross-validated against native"] = differences_markdown(chosen_layers.against_native(rdms))
    write_atomically(figure, scales_figure(scores, layers))
    fill(page, blocks)


def _with_interval(row) -> str:
    raw, low, high = raw_interval(row)
    return f"{number(raw)} ({number(low)} to {number(high)})"
