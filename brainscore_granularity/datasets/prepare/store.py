"""The local store of prepared data: one folder per build, in Brain-Score's own file formats.

``<home>/data/<identifier>/`` holds ``assy_<identifier>.nc`` (netCDF, variable ``data``),
``stimulus_<identifier>.csv`` and ``prepared.json``. The last lists the other files (sizes, SHA-256), what they were
made from, and where the images are. It is removed first and written last, so that its presence means a complete
build. Builds that show the same images share one image folder.
"""

from __future__ import annotations

import hashlib
import json
import time
from io import StringIO
from pathlib import Path

from brainscore_granularity.paths import HOME_VARIABLE, home, sha256_of, write_atomically

from . import assemblies
from .registry import DATASETS, dataset_of

VERSION = 1  # version of the layout of a build's folder


class Missing(FileNotFoundError):
    """A local build is missing; the message says how to get the data and how to make the build."""


class Damaged(OSError):
    """A local build is damaged; the message says which part, and how to fix it."""


def root() -> Path:
    """Folder of all local builds and of their images."""
    return home().absolute() / "data"


def identifiers(dataset: str) -> tuple[str, ...]:
    """Every local build that a data set can make."""
    if dataset not in DATASETS:
        raise ValueError(f"no data set {dataset!r}; there are: {', '.join(DATASETS)}")
    return DATASETS[dataset].identifiers


def image_folder(name: str) -> Path:
    """Folder for images that several builds share: ``<home>/data/<name>/images``."""
    return root() / name / "images"


def save(identifier: str, assembly, stimuli, images: Path, stimulus_set: str, source: dict) -> Path:
    """Write a build. An older build with the same identifier is marked as incomplete before any file is changed.

    Parameters
    ----------
    assembly : presentation x neuroid x time_bin, finite, with coordinates stimulus_id and at least one more for
        presentations, and neuroid_id, subject, region for neuroids; see ``assemblies.neuroid_assembly``.
    stimuli : data frame with the columns stimulus_id (unique) and filename (within ``images``), and others.
    images : folder of the image files. Inside the store its relative path is kept; elsewhere the folder must not move.
    stimulus_set : name of the stimuli, equal for builds that show the same images, so that a model sees them once.
    source : what the build was made from and how, as JSON; see ``files.fingerprint``.

    Returns
    -------
    The folder of the build.
    """
    dataset = dataset_of(identifier)
    images = Path(images).absolute()
    assemblies.check(identifier, assembly, stimuli, images)
    folder = root() / identifier
    record = folder / "prepared.json"
    record.unlink(missing_ok=True)

    table = StringIO()
    stimuli.to_csv(table, index=False)
    table = table.getvalue().encode()
    assemblies.check_names_survive(identifier, stimuli, table)
    write_atomically(folder / f"stimulus_{identifier}.csv", table)
    assembly_file = folder / f"assy_{identifier}.nc"
    assemblies.write_netcdf(assembly, assembly_file)
    sizes = [(images / name).stat().st_size for name in stimuli["filename"]]
    content = hashlib.sha256(table + json.dumps(sizes).encode()).hexdigest()
    write_atomically(
        record,
        json.dumps(
            {
                "identifier": identifier,
                "dataset": dataset.name,
                "version": VERSION,
                "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "assembly": {"bytes": assembly_file.stat().st_size, "sha256": sha256_of(assembly_file)},
                "stimuli": {"bytes": len(table), "sha256": hashlib.sha256(table).hexdigest()},
                "stimulus_set": f"{stimulus_set}--{content[:12]}",
                "images": {"folder": str(_relative(images)), "bytes": sizes},
                "source": source,
            },
            indent=1,
        ),
    )
    return folder


def load(identifier: str):
    """A build as Brain-Score loads its own: a NeuroidAssembly with the columns of its stimulus set merged in.

    attrs: stimulus_set, stimulus_set_identifier, identifier, and those given to ``assemblies.neuroid_assembly``. The
    identifier of the stimulus set holds a hash of its content and of the images' folder, because Brain-Score caches
    activations by that name and compares the paths.
    """
    from brainscore_core.supported_data_standards.brainio.assemblies import NeuroidAssembly
    from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet

    status, detail = state(identifier)
    if status in ("missing", "incomplete"):
        raise Missing(how_to_get(identifier, status))
    again = f"run `{dataset_of(identifier).command}` again"
    if status == "damaged":
        raise Damaged(f"{identifier} is damaged: {detail}; {again}")
    folder, record = root() / identifier, _record(identifier)
    for part, name in (("assembly", f"assy_{identifier}.nc"), ("stimuli", f"stimulus_{identifier}.csv")):
        if sha256_of(folder / name) != record[part]["sha256"]:
            raise Damaged(f"{folder / name} is damaged: its SHA-256 is not the one in prepared.json; {again}")
    images = root() / record["images"]["folder"]
    stimuli = StimulusSet.from_files(folder / f"stimulus_{identifier}.csv", images)
    where = hashlib.sha256(str(images).encode()).hexdigest()[:6]
    stimuli.identifier = f"{record['stimulus_set']}-{where}"
    lazy = NeuroidAssembly.from_files(
        folder / f"assy_{identifier}.nc", stimulus_set_identifier=stimuli.identifier, stimulus_set=stimuli
    )
    assembly = lazy.load()
    lazy.close()
    assembly.attrs["identifier"] = identifier
    return assembly


def state(identifier: str) -> tuple[str, str]:
    """State of a build, ready, missing, incomplete or damaged, and a detail; from file sizes, without reading them."""
    folder = root() / identifier
    dataset_of(identifier)
    if not folder.is_dir():
        return "missing", f"no {folder}"
    try:
        record = _record(identifier)
    except FileNotFoundError:
        return "incomplete", f"a preparation was interrupted: no prepared.json in {folder}"
    except (ValueError, KeyError) as error:
        return "damaged", f"{folder / 'prepared.json'} cannot be read ({error})"
    if record["version"] != VERSION:
        return "damaged", f"{folder} was written by another version ({record['version']}, this one reads {VERSION})"
    expected = {
        folder / f"assy_{identifier}.nc": record["assembly"]["bytes"],
        folder / f"stimulus_{identifier}.csv": record["stimuli"]["bytes"],
    }
    if wrong := _wrong_sizes(expected):
        return "damaged", wrong
    import pandas as pd

    names = pd.read_csv(folder / f"stimulus_{identifier}.csv")["filename"]
    images = root() / record["images"]["folder"]
    if wrong := _wrong_sizes(
        {images / name: size for name, size in zip(names, record["images"]["bytes"], strict=True)}
    ):
        return "damaged", wrong
    return "ready", record["written"]


def how_to_get(identifier: str, status: str = "missing") -> str:
    """One line that says how to get a build that is missing."""
    dataset = dataset_of(identifier)
    return (
        f"{identifier} is {status} in {root()}: it is made on this computer from the {dataset.title}, which is under "
        f"{dataset.licence} and not shipped. To get it: {dataset.access}. Then run `{dataset.command}`. "
        f"If it was prepared elsewhere, set {HOME_VARIABLE} to that folder."
    )


def source_of(identifier: str) -> dict:
    """The ``source`` of a build, as given to ``save``."""
    try:
        return _record(identifier)["source"]
    except FileNotFoundError:
        raise Missing(how_to_get(identifier)) from None


def is_made_from(identifier: str, inputs: dict) -> bool:
    """Whether a complete build exists that was made from exactly these ``inputs``, so that it can be kept."""
    return state(identifier)[0] == "ready" and source_of(identifier).get("inputs") == inputs


def _record(identifier: str) -> dict:
    record = json.loads((root() / identifier / "prepared.json").read_text())
    missing = {"version", "written", "assembly", "stimuli", "stimulus_set", "images", "source"} - set(record)
    if missing:
        raise ValueError(f"without {', '.join(sorted(missing))}")
    return record


def _relative(images: Path) -> Path:
    return images.relative_to(root()) if images.is_relative_to(root()) else images


def _wrong_sizes(expected: dict[Path, int]) -> str:
    for path, size in expected.items():
        try:
            found = path.stat().st_size
        except FileNotFoundError:
            return f"{path} is not there"
        if found != size:
            return f"{path} has {found} bytes, {size} were written"
    return ""
