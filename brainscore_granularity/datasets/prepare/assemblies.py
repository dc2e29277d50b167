"""The parts of a build: assemblies in Brain-Score's format, checked before they are written, and their files."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

import numpy as np

TIME_BIN = (70, 170)  # milliseconds; Brain-Score's nominal time window for responses without time
NEUROID_COORDINATES = ("neuroid_id", "subject", "region")


def neuroid_assembly(values: np.ndarray, presentation: dict, neuroid: dict, **attributes):
    """Responses (presentations, neuroids) as Brain-Score has them: presentation x neuroid x time_bin, one bin.

    presentation, neuroid : {coordinate: one value per presentation or neuroid}. attributes : strings and numbers, kept
        in the file.
    """
    from brainscore_core.supported_data_standards.brainio.assemblies import NeuroidAssembly

    assembly = NeuroidAssembly(
        np.asarray(values, np.float32)[:, :, None],
        dims=["presentation", "neuroid", "time_bin"],
        coords={
            **{name: ("presentation", np.asarray(column)) for name, column in presentation.items()},
            **{name: ("neuroid", np.asarray(column)) for name, column in neuroid.items()},
            "time_bin_start": ("time_bin", [TIME_BIN[0]]),
            "time_bin_end": ("time_bin", [TIME_BIN[1]]),
        },
    )
    assembly.attrs.update(attributes)
    return assembly


def check(identifier: str, assembly, stimuli, images: Path) -> None:
    """Raise unless an assembly and its stimuli can be stored and read back."""
    assembly.validate()
    levels = {dim: set(assembly.indexes[dim].names) for dim in ("presentation", "neuroid") if dim in assembly.indexes}
    if len(levels.get("presentation", ())) < 2:
        raise ValueError(
            f"{identifier}: expected stimulus_id and a second presentation coordinate, because Brain-Score's loader "
            "loses a single one; add one, such as repetition"
        )
    neural = "neuroid" in assembly.dims  # else choices: one value per presentation
    needed = {"stimulus_id", *(NEUROID_COORDINATES if neural else ())}
    if lacking := needed - levels["presentation"] - levels.get("neuroid", set()):
        raise ValueError(f"{identifier}: expected the coordinates {', '.join(sorted(lacking))}, which are not there")
    bad = int((~np.isfinite(assembly.values)).any(axis=(0, 2)).sum()) if neural else 0
    if bad:
        raise ValueError(f"{identifier}: {bad} neuroids have NaN or infinite responses; drop them and say how many")
    for what, names in (("neuroid_id", assembly["neuroid_id"].values if neural else ()),
                        ("stimulus_id", stimuli["stimulus_id"])):  # fmt: skip
        if len(set(names)) != len(names):
            raise ValueError(f"{identifier}: {what} must be unique, got {len(names)} rows with {len(set(names))}")
    unknown = sorted(set(assembly["stimulus_id"].values) - set(stimuli["stimulus_id"]))
    if unknown:
        raise ValueError(f"{identifier}: {len(unknown)} stimulus ids are not in the stimuli, such as {unknown[0]}")
    absent = [name for name in stimuli["filename"] if not (images / name).is_file()]
    if absent:
        raise FileNotFoundError(f"{identifier}: {len(absent)} images are not in {images}, such as {absent[0]}")


def check_names_survive(identifier: str, stimuli, table: bytes) -> None:
    """Raise for ids that change when read from a CSV, such as 007 or NA."""
    import pandas as pd

    back = pd.read_csv(StringIO(table.decode()))
    for column in ("stimulus_id", "filename"):
        wrong = [name for name, found in zip(stimuli[column], back[column], strict=True) if name != found]
        if wrong:
            raise ValueError(f"{identifier}: {column} {wrong[0]!r} changes when read from CSV; put letters before it")


def write_netcdf(assembly, path: Path) -> None:
    """Write Brain-Score's own format, atomically and with a faster compression (seconds instead of minutes)."""
    flat = assembly.reset_index(list(assembly.indexes))
    flat.attrs = {name: value for name, value in assembly.attrs.items() if isinstance(value, (str, int, float))}
    dataset = flat.to_dataset(name="data")
    # xarray would list the coordinates in the order of a set, so that the bytes would differ between processes.
    dataset["data"].encoding = {"zlib": True, "complevel": 1, "coordinates": " ".join(flat.coords)}
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        dataset.to_netcdf(temporary, engine="netcdf4")
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
