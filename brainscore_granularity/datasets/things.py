"""THINGS in a folder that the user names: images of most concepts, and the embedding of people's choices.

The folder holds the owners' ``unique_id.txt`` and ``spose_embedding_66d_sorted.txt``, and images whose names begin with
their concept (``camera_lens_01b.jpg``), one or more a concept, in ``images.zip`` or in a folder ``images``. With
``concepts.tsv`` (row of the embedding, unique_id, image, sha256_16: the first 16 digits of its SHA-256) beside them,
every image is checked.
"""

from __future__ import annotations

import csv
import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

from brainscore_granularity.download import DataMissing
from brainscore_granularity.paths import sha256_of

from .prepare.things.concepts import CONCEPTS, EMBEDDING, embedding_of, read_concepts, read_embedding
from .prepare.things.images import concept_of
from .stimuli import from_files, kept

FOLDER_VARIABLE = "BRAINSCORE_GRANULARITY_THINGS"
DATA = "Hebart2023_concepts"
TABLE, ARCHIVE, FOLDER = "concepts.tsv", "images.zip", "images"
SHA256 = {  # of the owners' two files
    CONCEPTS: "e2e59d02197e89776034938e7a73940a0823cacac4b6084b56b1d8959816ff76",
    EMBEDDING: "6a485922fe22c10b2eb920140198488451d44ac6de0c6be5e8ee8eec8a2007cc",
}
HOW_TO_GET = (
    f"{CONCEPTS} and {EMBEDDING} are at osf.io/f5rn6 (CC-BY 4.0), the images at osf.io/jum2f (terms of THINGS: "
    "research use). Cite Hebart et al. 2019, 2023."
)


def named() -> bool:
    """Whether the user names a folder."""
    return bool(os.environ.get(FOLDER_VARIABLE))


def status() -> str:
    """One line on what is in the folder, by names alone: content is checked when it is read."""
    try:
        concepts = read_concepts(_path(CONCEPTS))
        shown = len(set(map(concept_of, _images())) & set(concepts))
    except (DataMissing, ValueError) as error:
        return f"cannot be read: {str(error).removesuffix(HOW_TO_GET).rstrip(' .')}"
    return f"ready ({FOLDER_VARIABLE}), images of {shown:,} of {len(concepts):,} concepts"


def embedding():
    """The embedding, a row for every image, in the owners' order of concepts, as `embedding_of` makes it."""
    for name, sha256 in SHA256.items():
        if (found := sha256_of(_path(name))) != sha256:
            raise DataMissing(f"{_path(name)}: expected SHA-256 {sha256}, got {found}: another file. {HOW_TO_GET}")
    concepts = read_concepts(_path(CONCEPTS))
    values, stimuli = read_embedding(_path(EMBEDDING), len(concepts)), _stimuli(concepts)
    assembly = embedding_of(stimuli, values, concepts)
    assembly.attrs.update(identifier=DATA, stimulus_set=stimuli, stimulus_set_identifier=stimuli.identifier)
    return assembly


def stimulus_set():
    """All images of the folder, in the owners' order of concepts."""
    return _stimuli(read_concepts(_path(CONCEPTS)))


def _stimuli(concepts: list[str]):
    place = {concept: row for row, concept in enumerate(concepts)}
    images, sums, content = _images(), _sums(place), hashlib.sha256()
    if unknown := [name for name in images if concept_of(name) not in place]:
        raise ValueError(f"{_root()}: expected images of the concepts of {CONCEPTS}, got {unknown[0]}")
    names = sorted(images, key=lambda name: (place[concept_of(name)], name))
    for name in names:
        own = hashlib.sha256(images[name]()).hexdigest()
        if not own.startswith(sums.get(name, "")):
            raise DataMissing(f"{_root()}, {name}: expected SHA-256 {sums[name]}... as in {TABLE}, got {own[:16]}...")
        content.update(f"{name} {own}\n".encode())
    if not (folder := _root() / FOLDER).is_dir():
        folder = kept(DATA, content.hexdigest()[:12], ((name, images[name]) for name in names))
    files = {Path(name).stem: folder / name for name in names}
    shown = [concept_of(name) for name in names]
    columns = {"concept": shown, "concept_index": [place[concept] for concept in shown]}
    columns["picture"] = [f"things/{stimulus}" for stimulus in files]  # as data sets on THINGS images declare it
    return from_files(DATA, folder, files, content.hexdigest(), **columns)


def _images() -> dict[str, Callable[[], bytes]]:
    """{file name: function that reads it}, of the folder or else of the archive."""
    folder = _root() / FOLDER
    if folder.is_dir():
        return {path.name: path.read_bytes for path in folder.glob("*.jpg") if not path.name.startswith(".")}
    try:
        archive = zipfile.ZipFile(_path(ARCHIVE))
    except zipfile.BadZipFile as error:
        raise DataMissing(f"{_path(ARCHIVE)} is damaged or cut short ({error}). {HOW_TO_GET}") from error
    return {name: lambda name=name: archive.read(name) for name in archive.namelist() if _is_image(name)}


def _is_image(name: str) -> bool:
    return name.endswith(".jpg") and "/" not in name and not name.startswith(".")


def _sums(place: dict[str, int]) -> dict[str, str]:
    """{file name: first digits of its SHA-256}; rows must be those of the owners' order."""
    if not (_root() / TABLE).is_file():
        return {}
    with open(_root() / TABLE, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row in rows:
        if place.get(row["unique_id"]) != int(row["row"]):
            raise ValueError(
                f"{_root() / TABLE}: expected rows in the order of {CONCEPTS}, where {row['unique_id']} is "
                f"{place.get(row['unique_id'])}, got {row['row']}"
            )
    return {row["image"]: row["sha256_16"] for row in rows}


def _root() -> Path:
    if not named():
        raise DataMissing(f"set {FOLDER_VARIABLE} to a folder with the concepts of THINGS. {HOW_TO_GET}")
    return Path(os.environ[FOLDER_VARIABLE])


def _path(name: str) -> Path:
    if not (_root() / name).is_file():
        raise DataMissing(f"{FOLDER_VARIABLE} is {_root()}, where there is no {name}. {HOW_TO_GET}")
    return _root() / name
