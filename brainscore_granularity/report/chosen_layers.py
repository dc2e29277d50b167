"""The 92 images with each model's layer chosen on half of them and scored on the other half: tables and a curve."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from brainscore_granularity import stats
from brainscore_granularity.runner import results

from . import conditions
from .measures import ONE_IMAGE_SET
from .summary import number


def choices(rdms: dict[str, dict[str, np.ndarray]], splits: int = stats.SPLITS) -> dict[str, stats.Choices]:
    """{scale: what all scores and differences are made of}, models in the order of ``rdms``.

    rdms : {model: {layer: RDM}}, as from `one_image_set.layer_rdms`.
    """
    from brainscore_vision import load_benchmark

    found = {}
    for scale, name in ONE_IMAGE_SET.items():
        subjects = load_benchmark(name).subject_rdms
        scorers = [stats.rdm_scorer(np.stack(list(layers.values())), subjects) for layers in rdms.values()]
        found[scale] = stats.choices(scorers, len(subjects[0]), splits)
    return found


def cross_validated(rdms: dict[str, dict[str, np.ndarray]], drawn: dict[str, stats.Choices]) -> pd.DataFrame:
    """One row per (scale, model): raw score of the procedure, 95% interval, and the layer that is chosen most often."""
    rows = []
    for scale, of_models in drawn.items():
        for (model, layers), found in zip(rdms.items(), of_models.sums(np.eye(len(rdms))), strict=True):
            often, share = list(layers)[int(found.chosen.argmax())], float(found.chosen.max())
            rows.append(
                {
                    "scale": scale, "model": model, "k": results.describe(model)["k"], "raw": found.value,
                    "low": found.low, "high": found.high, "layer": often, "share": share,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def estimates(models: Iterable[str], drawn: dict[str, stats.Choices]):
    """For `differences.against`: weighted sums of models that choose their layers anew in every half and resample."""
    models = list(models)
    return lambda scale, sums: drawn[scale].sums([[one.get(model, 0) for model in models] for one in sums])


def rows_of(found: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Header and cells of the table: score, interval, and the layer most often chosen, by scale."""
    rows, header = [], ["trained on"]
    for scale in ONE_IMAGE_SET:
        header += [scale, "layer"]
    for model in conditions.models_in_order(found["model"].unique()):
        own, cells = found[found["model"] == model].set_index("scale"), []
        for scale in ONE_IMAGE_SET:
            row = own.loc[scale]
            cells.append(f"{number(row['raw'])} ({number(row['low'])} to {number(row['high'])})")
            cells.append(f"{row['layer']} {row['share']:.0%}")
        rows.append([conditions.of(model).name, *cells])
    return header, rows


def curve(found: pd.DataFrame) -> pd.DataFrame:
    """Points of the curve over K, of the networks trained on labels of their own: scale, k, raw, low, high."""
    own = [results.describe(model)["labels"] == "own" for model in found["model"]]
    points = found[own].groupby(["scale", "k"], sort=True)[["raw", "low", "high"]].mean()
    return points.reset_index()
