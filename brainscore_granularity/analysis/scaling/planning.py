"""Choose what to train for a compute budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from . import study
from .allocation import Allocation, allocate
from .reproduction import TABLE
from .table import ScalingError, read

if TYPE_CHECKING:
    import pandas

FORWARD_AND_BACKWARD = 3  # a training step costs three forward passes


class Plan(NamedTuple):
    """The optimum of the joint law, and the trained architectures that come nearest to it."""

    budget: float
    allocation: Allocation
    optimum: dict[str, tuple[float, float, float]]  # N, D, L: value, low, high
    architectures: pandas.DataFrame  # arch, n_params, flops, samples, loss; best first
    beyond: float  # budget / largest compute in the data: above 1 it extrapolates


def plan(data: Path, budget: float, resamples: int = 200, seed: int = 0) -> Plan:
    """From the public table: the joint fit, its optimum at ``budget`` FLOPs, and the prediction for each architecture.

    With this budget an architecture sees budget / (3 flops) images. Its misalignment is that of the joint law for its
    number of parameters and that number of images; other properties of the architecture are ignored.
    """
    if not budget > 0:
        raise ScalingError(f"budget: expected FLOPs above 0, got {budget:g}")
    table = read(Path(data, TABLE))
    rows = study.rows(table, study.FITS["compute_chinchilla"])
    points = study.published_points(table, "compute_chinchilla")
    allocation = allocate(points, rows["total_flops"], study.SCALES["total_flops"], resamples, seed=seed)
    each = rows.groupby("arch", as_index=False)[["n_params", "flops"]].first()
    each["samples"] = budget / (FORWARD_AND_BACKWARD * each["flops"])
    x = np.stack([each["n_params"] / points.scale[0], each["samples"] / points.scale[1]], axis=1)
    each["loss"] = allocation.joint.predict(x)
    best = each[each["samples"] >= 1].sort_values("loss", ignore_index=True)
    return Plan(budget, allocation, allocation.at(budget), best, budget / float(rows["total_flops"].max()))
