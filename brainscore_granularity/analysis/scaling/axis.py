"""Granularity as an axis: the same fits over classes, images per class or samples seen, for our own scored models."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .fitting import Fit, fit
from .laws import law
from .table import ScalingError, TooFewPoints, points
from .uncertainty import Bootstrap, Range, bootstrap, profile

if TYPE_CHECKING:
    import pandas

# classes of the data sets that networks named `native` were trained on
NATIVE_CLASSES = {"granularity_world": 64, "granularity_tiny": 200, "granularity_imagenet": 1000}
SCALING_ID = re.compile(r"scaling_(?P<network>[a-z0-9]+)_w(?P<width>[0-9p_]+)_d(?P<images>\d+|full)_s\d+")
AXES = {
    "classes": "how many classes a network was trained on",
    "images_per_class": "training images of each class",
    "samples_seen": "images a network has seen, epochs counted",
    "total_flops": "compute of training",
}


@dataclass(frozen=True)
class AxisFit:
    """Misalignment over an axis for one benchmark and one source of labels; or why there is none."""

    benchmark: str
    labels: str
    axis: str
    models: int
    values: tuple[float, ...]  # distinct X
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
    """From a results folder, or its table, to a fit for every benchmark and label source.

    Parameters
    ----------
    scores : results folder, or ``results.table(...)``
    axis : one of ``AXES``
    law_name : the free and the log-linear law also describe alignment that falls along the axis
    n : resamples of models
    training : what the results do not know: a column ``model`` and one named like the axis
    """
    if axis not in AXES:
        raise ValueError(f"axis: expected one of {', '.join(AXES)}, got {axis!r}")
    law(law_name)
    table = _with_axis(_scores(scores), axis, training)
    out = []
    for (benchmark, labels), rows in table.groupby(["benchmark", "labels"], sort=True):
        usable = rows[rows[axis].notna() & rows["value"].notna()]
        out.append(_one(str(benchmark), str(labels), axis, usable, law_name, n, seed))
    if not out:
        raise TooFewPoints(f"no scored model of ours has a number of {axis.replace('_', ' ')}")
    return out


def _one(benchmark, labels, axis, rows, law_name, n, seed) -> AxisFit:
    values = tuple(sorted(map(float, rows[axis].unique())))
    simulated = bool(rows["simulated"].any()) if len(rows) else False

    def answer(found=None, drawn=None, ranges=None, note=""):
        return AxisFit(benchmark, labels, axis, len(rows), values, simulated, found, drawn, ranges or {}, note)

    needed = len(law(law_name).coordinates) + 1  # with as many points as parameters every law fits
    if len(values) < needed:
        return answer(note=f"too few points: {len(values)} different values, {needed} are needed for {law_name}")
    try:
        found = fit(points(rows, axis, "value", model="model"), law_name)
    except ScalingError as error:
        return answer(note=str(error))
    return answer(found, bootstrap(found, n, "model", seed) if n else None, profile(found))


def _scores(scores) -> pandas.DataFrame:
    from ... import results

    table = results.table(results.read_all(scores)) if isinstance(scores, (str, Path)) else scores
    return table[table["status"] == "ok"] if len(table) else table


def _with_axis(table, axis, training) -> pandas.DataFrame:
    if not len(table):
        raise TooFewPoints("no scores")
    table = table.copy()
    if training is not None:
        table = table.drop(columns=[axis], errors="ignore").merge(training[["model", axis]], on="model", how="left")
    elif axis == "classes":
        native = table["family"].map(NATIVE_CLASSES).where(table["labels"] == "native")
        table[axis] = table["k"].astype(float).fillna(native)
        # networks on native classes end the ladder of every label source of their family
        ladders = table[table["k"].notna()][["family", "labels"]].drop_duplicates()
        top = table[table["labels"] == "native"].drop(columns="labels").merge(ladders, on="family")
        import pandas as pd

        table = pd.concat([table[table["k"].notna()], top], ignore_index=True)
    elif axis == "images_per_class":
        found = [SCALING_ID.fullmatch(model) for model in table["model"]]
        table[axis] = [float(m["images"]) if m and m["images"] != "full" else np.nan for m in found]
        table["labels"] = [
            f"{m['network']}_w{m['width']}" if m else old for m, old in zip(found, table["labels"], strict=True)
        ]
    else:
        raise ScalingError(f"{axis}: results do not hold it; pass `training`, a table with columns model and {axis}")
    return table
