"""Granularity as an axis: the same fits over classes, images per class or samples seen, for our own scored models."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brainscore_granularity.report import conditions
from brainscore_granularity.weights import identifiers

from .fitting import Fit, fit
from .laws import law
from .table import ScalingError, TooFewPoints, points
from .uncertainty import Bootstrap, Range, bootstrap, profile

if TYPE_CHECKING:
    import pandas

LEAST_SPAN = 2
AXES = {
    "classes": "number of classes in training",
    "images_per_class": "training images of each class",
    "samples_seen": "images a network has seen, epochs counted",
    "total_flops": "training compute",
    "accuracy": "accuracy on held-out images of its own data set, for networks of native classes",
}


@dataclass(frozen=True)
class AxisFit:
    """Fit of misalignment over an axis for one benchmark and one source of labels; or why there is no fit."""

    benchmark: str
    labels: str
    axis: str
    models: int
    values: tuple[float, ...]  # distinct values of X
    simulated: bool
    fit: Fit | None
    bootstrap: Bootstrap | None
    ranges: dict[str, Range]
    note: str  # why there is no fit; empty if there is one


def over_axis(
    scores: Path | pandas.DataFrame,
    axis: str = "classes",
    law_name: str = "power",
    n: int = 1000,
    seed: int = 0,
    training: pandas.DataFrame | None = None,
) -> list[AxisFit]:
    """A fit for every benchmark and label source of a results folder, or of its table.

    Parameters
    ----------
    scores : results folder, or ``results.table(...)``
    axis : one of ``AXES``
    law_name : name of the law; the free and the log-linear law also describe alignment that falls along the axis
    n : number of resamples of models
    training : table with a column ``model`` and one named like the axis; by default taken from the models' checkpoints
    """
    if axis not in AXES:
        raise ValueError(f"axis: expected one of {', '.join(AXES)}, got {axis!r}")
    law(law_name)
    table = _with_axis(_scores(scores), axis, training)
    out = []
    for (benchmark, labels), rows in table.groupby(["benchmark", "labels"], sort=True):
        usable = rows[rows[axis].notna() & rows["value"].notna()]
        if not len(usable):
            continue
        out.append(_one(str(benchmark), str(labels), axis, usable, law_name, n, seed))
    if not out:
        raise TooFewPoints(f"no scored model of ours has a number of {axis.replace('_', ' ')}")
    return out


def _one(benchmark, labels, axis, rows, law_name, n, seed) -> AxisFit:
    values = tuple(sorted(map(float, rows[axis].unique())))
    simulated = bool(rows["simulated"].any()) if len(rows) else False

    def answer(found=None, drawn=None, ranges=None, note=""):
        return AxisFit(benchmark, labels, axis, len(rows), values, simulated, found, drawn, ranges or {}, note)

    needed = len(law(law_name).coordinates) + 1  # with as many points as parameters every law fits perfectly
    if len(values) < needed:
        return answer(note=f"too few points: {len(values)} different values, {needed} are needed for {law_name}")
    if values[-1] < LEAST_SPAN * values[0]:
        return answer(note=f"{axis} differs by less than {LEAST_SPAN} times: a law over it would say nothing")
    try:
        found = fit(points(rows, axis, "value", model="model"), law_name)
    except ScalingError as error:
        return answer(note=str(error))
    return answer(found, bootstrap(found, n, "model", seed) if n else None, profile(found))


def _scores(scores) -> pandas.DataFrame:
    from brainscore_granularity.runner import results

    table = results.table(results.read_all(scores)) if isinstance(scores, (str, Path)) else scores
    return table[table["status"] == "ok"] if len(table) else table


def _with_axis(table, axis, training) -> pandas.DataFrame:
    if not len(table):
        raise TooFewPoints("no scores")
    table = table.copy()
    if training is not None:
        table = table.drop(columns=[axis], errors="ignore").merge(training[["model", axis]], on="model", how="left")
    elif axis == "classes":
        is_native = table["labels"] == conditions.NATIVE
        native = table["family"].map(conditions.NATIVE_CLASSES).where(is_native)
        table[axis] = table["k"].astype(float).fillna(native)
        # networks on native classes end the ladder of every label source of their family except random labels
        coarse = table["k"].notna() & table["labels"].map(conditions.is_coarse)
        ladders = table[coarse][["family", "labels"]].drop_duplicates()
        top = table[is_native].drop(columns="labels").merge(ladders, on="family")
        import pandas as pd

        table = pd.concat([table[table["k"].notna()], top], ignore_index=True)
    elif axis == "images_per_class":
        found = [identifiers.parse(model) for model in table["model"]]
        table[axis] = [float(getattr(wanted, "images", None) or np.nan) for wanted in found]
    else:
        known = {model: _of_checkpoint(model) for model in table["model"].unique()}
        table[axis] = [known[model].get(axis, np.nan) for model in table["model"]]
    if axis != "classes":
        table["labels"] = [
            _curve(model, axis) or old for model, old in zip(table["model"], table["labels"], strict=True)
        ]
    return table


def _curve(model: str, axis: str) -> str | None:
    """The curve that a model belongs to: one per width, or one for all widths if the axis is compute or accuracy."""
    found = identifiers.parse(model)
    if not isinstance(found, identifiers.Scaling) or found.labels:
        return None
    return found.network if axis in ("total_flops", "accuracy") else f"{found.network}_w{found.width}"


def _of_checkpoint(model: str) -> dict[str, float]:
    """Images seen, training compute and accuracy: a multiply-add is two FLOPs, a training step three forward passes.

    Accuracy is given for native classes only, because with other labels the tasks differ.
    """
    from brainscore_granularity.plugins import registrations
    from brainscore_granularity.weights.checkpoints import CheckpointError, Untrained
    from brainscore_granularity.weights.find import checkpoint_of

    if model not in registrations("models"):
        return {}
    try:
        checkpoint = checkpoint_of(model)
    except CheckpointError:
        return {}
    if isinstance(checkpoint, Untrained) or "data" not in checkpoint.info:
        return {}
    info = checkpoint.info
    of_native = info["recipe"]["labels"] == conditions.NATIVE
    accuracy = info.get("metrics", {}).get("validation_accuracy") if of_native else None
    known = {"accuracy": float(accuracy)} if accuracy else {}
    if seen := info["data"].get("number", 0) * info["recipe"]["epochs"]:
        known |= {
            "samples_seen": float(seen),
            "total_flops": 6.0 * _multiply_adds(info["network"], info["classes"]) * seen,
        }
    return known


@functools.cache
def _multiply_adds(network: str, classes: int) -> int:
    """Multiply-adds of one forward pass for one image."""
    from brainscore_granularity import networks

    return networks.count(networks.build(network, classes, 0))[1]
