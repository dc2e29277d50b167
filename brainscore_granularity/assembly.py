"""Small operations on Brain-Score assemblies."""

from __future__ import annotations

import numpy as np
import xarray as xr


def average_repeats(assembly):
    """Mean over repeated presentations of each stimulus -> presentation x neuroid."""
    if "time_bin" in assembly.dims:
        assembly = assembly.squeeze("time_bin")
    ids = assembly["stimulus_id"].values
    names, rows = np.unique(ids, return_inverse=True)
    if len(names) == len(ids):
        return assembly
    values = assembly.transpose("presentation", "neuroid").values
    order = np.argsort(rows, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(rows[order]) > 0])
    means = np.add.reduceat(values[order].astype(np.float64), starts) / np.bincount(rows)[:, None]
    return xr.DataArray(means, dims=["presentation", "neuroid"], coords={"stimulus_id": ("presentation", names)})


def in_order(assembly, stimulus_ids) -> np.ndarray:
    """Responses (stimuli, neuroids) in the order of ``stimulus_ids``; each must be there once."""
    assembly = assembly.squeeze("time_bin") if "time_bin" in assembly.dims else assembly
    found = assembly["stimulus_id"].values
    row = {stimulus: i for i, stimulus in enumerate(found)}
    missing = [stimulus for stimulus in stimulus_ids if stimulus not in row]
    if missing or len(row) != len(found):
        raise ValueError(
            f"expected one response to each of {len(stimulus_ids)} stimuli, got {len(found)} responses to "
            f"{len(row)} stimuli; {len(missing)} missing" + (f" (first: {missing[0]})" if missing else "")
        )
    return assembly.transpose("presentation", "neuroid").values[[row[stimulus] for stimulus in stimulus_ids]]
