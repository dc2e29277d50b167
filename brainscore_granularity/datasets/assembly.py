"""Small operations on Brain-Score assemblies and stimulus sets."""

from __future__ import annotations

import numpy as np
import xarray as xr
from brainscore_core.supported_data_standards.brainio.assemblies import DataAssembly


def average_repeats(assembly):
    """Mean over repeated presentations of each stimulus -> presentation x neuroid."""
    assembly = without_time(assembly)
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
    """Responses (stimuli, neuroids) in the order of ``stimulus_ids``; each must occur exactly once."""
    assembly = without_time(assembly)
    found = assembly["stimulus_id"].values
    row = {stimulus: i for i, stimulus in enumerate(found)}
    missing = [stimulus for stimulus in stimulus_ids if stimulus not in row]
    if missing or len(row) != len(found):
        raise ValueError(
            f"expected one response to each of {len(stimulus_ids)} stimuli, got {len(found)} responses to "
            f"{len(row)} stimuli; {len(missing)} missing" + (f" (first: {missing[0]})" if missing else "")
        )
    return assembly.transpose("presentation", "neuroid").values[[row[stimulus] for stimulus in stimulus_ids]]


def without_time(assembly):
    """The assembly without its dimension time_bin, which must have length 1."""
    return assembly.squeeze("time_bin") if "time_bin" in assembly.dims else assembly


def only_neuroids(assembly, keep: tuple[str, float] | None, stimulus_ids, name: str):
    """The presentations of some stimuli, and the neuroids above a threshold (coordinate, threshold) and without NaN.

    >>> x = xr.DataArray([[1.0, np.nan, 3.0]], dims=["presentation", "neuroid"],
    ...     coords={"stimulus_id": ("presentation", ["a"]), "nc": ("neuroid", [50, 60, 20])})
    >>> only_neuroids(x, ("nc", 30), ["a"], "x").values
    array([[1.]])
    """
    assembly = without_time(assembly)
    good = np.isfinite(assembly.values).all(axis=assembly.dims.index("presentation"))
    if keep:
        coordinate, threshold = keep
        try:  # coords does not list the levels of a multi-index
            good &= assembly[coordinate].values > threshold
        except KeyError:
            raise ValueError(
                f"{name}: expected the neuroid coordinate {coordinate}, by which neuroids are chosen"
            ) from None
    shown = np.isin(assembly["stimulus_id"].values, stimulus_ids)
    assembly = assembly if shown.all() else assembly.isel(presentation=np.flatnonzero(shown))
    return assembly if good.all() else assembly.isel(neuroid=np.flatnonzero(good))


def first_rows(stimuli):
    """The stimulus set with one row per stimulus, also if a stimulus was shown several times."""
    if stimuli["stimulus_id"].is_unique:
        return stimuli
    once = stimuli.drop_duplicates("stimulus_id").reset_index(drop=True)
    once.stimulus_paths, once.identifier = stimuli.stimulus_paths, stimuli.identifier
    return once


def of_rdms(identifier: str, rdms, subjects: list[str], stimuli) -> DataAssembly:
    """RDMs that were published as such, subject x stimulus x other_stimulus, in the order of a stimulus set."""
    ids = list(stimuli["stimulus_id"])
    assembly = DataAssembly(
        np.asarray(rdms, np.float64),
        dims=["subject", "stimulus", "other_stimulus"],
        coords={"subject": subjects, "stimulus": ids, "other_stimulus": ids},
    )
    assembly.attrs["identifier"] = identifier
    assembly.attrs["stimulus_set"] = stimuli
    assembly.attrs["stimulus_set_identifier"] = stimuli.identifier
    return assembly
