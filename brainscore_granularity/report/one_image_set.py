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

from brainscore_granularity import stats
from brainscore_granularity.paths import write_atomically

from . import chosen_layers, conditions, differences
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


def estimates(rdms: dict, chosen: dict[tuple[str, str], str]):
    """For `differences.against`: weighted sums of models at fixed layers, on the same resamples of images and subjects.

    chosen : {(scale, model): layer}
    """
    from brainscore_vision import load_benchmark

    def of(scale: str, sums: differences.Sums) -> list[stats.Estimate]:
        stacked = np.stack([rdms[model][chosen[scale, model]] for model in rdms])
        weights = [[one.get(model, 0) for model in rdms] for one in sums]
        return stats.contrasts(stacked, weights, load_benchmark(ONE_IMAGE_SET[scale]).subject_rdms)

    return of


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
    drawn = chosen_layers.choices(rdms)
    cross_validated = chosen_layers.cross_validated(rdms, drawn)
    blocks = {
        "cross-validated": markdown(*chosen_layers.rows_of(cross_validated)),
        "by depth": scores_markdown(scores),
        "best layers": layers_markdown(layers),
    }
    for which, of in (
        ("cross-validated", chosen_layers.estimates(rdms, drawn)),
        ("by depth", estimates(rdms, committed)),
    ):
        for baseline in (conditions.NATIVE, conditions.FITTED):
            found = differences.against(baseline, models, of)
            blocks[f"{which} against {baseline}"] = markdown(*differences.markdown_of(found))
    write_atomically(figure, scales_figure(cross_validated, scores))
    fill(page, blocks)


def _with_interval(row) -> str:
    raw, low, high = raw_interval(row)
    return f"{number(raw)} ({number(low)} to {number(high)})"
