"""The 92 images with each model's layer chosen on half of them and scored on the other half: tables and a curve."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainscore_granularity import stats
from brainscore_granularity.runner import results

from . import conditions
from .differences import Sums
from .measures import ONE_IMAGE_SET
from .summary import number


def cross_validated(rdms: dict[str, dict[str, np.ndarray]], splits: int = stats.SPLITS) -> pd.DataFrame:
    """One row per (scale, model): raw score of the procedure, 95% interval, and the layer that is chosen most often.

    rdms : {model: {layer: RDM}}, as from `one_image_set.layer_rdms`.
    """
    rows = []
    for scale in ONE_IMAGE_SET:
        scorers, images = _scorers(rdms, scale)
        for model, scorer in scorers.items():
            found = stats.cross_validate(scorer, images, splits)
            often, share = list(rdms[model])[int(found.chosen.argmax())], float(found.chosen.max())
            rows.append(
                {
                    "scale": scale, "model": model, "k": results.describe(model)["k"], "raw": found.value,
                    "low": found.low, "high": found.high, "layer": often, "share": share,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def estimates(rdms: dict, splits: int = stats.SPLITS):
    """For `differences.against`: weighted sums of models that choose their layers anew in every half and resample."""

    def of(scale: str, sums: Sums) -> list[stats.LayerChoice]:
        scorers, images = _scorers(rdms, scale)
        weights = [[one.get(model, 0) for model in scorers] for one in sums]
        return stats.contrast_choices(list(scorers.values()), weights, images, splits)

    return of


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


def _scorers(rdms: dict, scale: str) -> tuple[dict, int]:
    """{model: scorer of its layers}, and the number of images."""
    from brainscore_vision import load_benchmark

    subjects = load_benchmark(ONE_IMAGE_SET[scale]).subject_rdms
    made = {model: stats.rdm_scorer(np.stack(list(layers.values())), subjects) for model, layers in rdms.items()}
    return made, len(subjects[0])
