"""The 92 images with each model's layer chosen on half of them and scored on the other half: tables and a curve."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from brainscore_granularity import stats
from brainscore_granularity.runner import results

from . import conditions
from .measures import ONE_IMAGE_SET
from .summary import number


def cross_validated(rdms: dict[str, dict[str, np.ndarray]], splits: int = stats.SPLITS) -> pd.DataFrame:
    """One row per (scale, model): raw score of the procedure, 95% interval, and the layer that is chosen most often.

    rdms : {model: {layer: RDM}}, as from `one_image_set.layer_rdms`.
    """
    from brainscore_vision import load_benchmark

    rows = []
    for scale, name in ONE_IMAGE_SET.items():
        subjects = load_benchmark(name).subject_rdms
        for model, by_layer in rdms.items():
            found = stats.cross_validate(_scorer(by_layer, subjects), len(subjects[0]), splits)
            often, share = list(by_layer)[int(found.chosen.argmax())], float(found.chosen.max())
            rows.append(
                {
                    "scale": scale, "model": model, "k": results.describe(model)["k"], "raw": found.value,
                    "low": found.low, "high": found.high, "layer": often, "share": share,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def against_native(rdms: dict, splits: int = stats.SPLITS) -> pd.DataFrame:
    """Each model minus the native one of its seed; both choose their layer anew in every half of the images.

    Returns
    -------
    One row per (scale, model): difference of raw scores, 95% interval over images, p (two-sided), q over all rows.
    """
    from brainscore_vision import load_benchmark

    known = {model: results.describe(model) for model in rdms}
    natives = {about["seed"]: model for model, about in known.items() if about["labels"] == conditions.NATIVE}
    rows = []
    for scale, name in ONE_IMAGE_SET.items():
        subjects = load_benchmark(name).subject_rdms
        for model in rdms:
            native = natives.get(known[model]["seed"], next(iter(natives.values())))
            if model == native:
                continue
            scorers = [_scorer(rdms[each], subjects) for each in (model, native)]
            found = stats.compare_choices(*scorers, len(subjects[0]), splits)
            rows.append(
                {
                    "scale": scale, "model": model, "difference": found.value, "low": found.low, "high": found.high,
                    "p": found.p,
                }
            )  # fmt: skip
    frame = pd.DataFrame(rows)
    return frame.assign(q=false_discovery_control(frame["p"].to_numpy()))


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


def _scorer(by_layer: dict[str, np.ndarray], subjects: np.ndarray) -> stats.layer_choice.Scorer:
    return stats.rdm_scorer(np.stack(list(by_layer.values())), subjects)
