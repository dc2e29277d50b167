"""THINGS: 1,854 concepts, their images, the similarity embedding and the odd-one-out choices (Hebart et al. 2023).

The concepts are always in the owners' order, that of ``unique_id.txt``, which is not alphabetical: camera_lens comes
before camera1. Rows of the embedding and numbers in the triplets follow that order.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import sha256_of

from .. import assemblies, files, store
from ..registry import DATASETS
from . import images as things_images
from .choices import N_CONCEPTS, TRIPLET_TABLE, TRIPLETS, read_choices

CONCEPTS, EMBEDDING = "unique_id.txt", "spose_embedding_66d_sorted.txt"
BELOW = ("", "*/", "*/*/")  # folders that may contain the files, as patterns
SPOSE, TRIPLET = "Hebart2023_local.spose", "Hebart2023_local.triplet"
MIN_SHARE = 0.5  # of the concepts must have images
LISTED = 8  # concepts that a message names


def concept_split(n: int, fraction: float = 0.2, seed: int = 42) -> tuple[np.ndarray, np.ndarray]:
    """Concepts to select layers on, and concepts to score on: sorted numbers of concepts in the order of the embedding.

    The first ``int(fraction n)`` of ``numpy.random.RandomState(seed).permutation(n)`` are for selection. With the
    defaults this is the split of the public code of Mehta & Bonner (2026): 370 of 1,854 select, 1,484 score.

    Examples
    --------
    >>> select, score = concept_split(1854)
    >>> len(select), len(score), select[:3].tolist()
    (370, 1484, [23, 29, 30])
    """
    permuted = np.random.RandomState(seed).permutation(n)
    chosen = int(fraction * n)
    return np.sort(permuted[:chosen]), np.sort(permuted[chosen:])


def prepare(source: Path, images: Path | None = None, say: Callable[[str], None] = print) -> list[str]:
    """Make ``Hebart2023_local.spose`` and, if the triplets are available, ``Hebart2023_local.triplet``.

    ``spose`` has a row for every image, with the 66 dimensions of its concept; the coordinates concept and
    concept_index name the concept, and means over the rows of a concept give the embedding. ``triplet`` is in the
    format of Brain-Score's Hebart2023, one image for each concept: the first by name.

    Parameters
    ----------
    source : folder with the owners' files in it or up to two folders below.
    images : the folder of image folders; by default below ``source``.

    Returns
    -------
    Identifiers of the builds.
    """
    source = Path(source)
    paths = {name: _find(source, name) for name in (CONCEPTS, EMBEDDING, TRIPLETS, TRIPLET_TABLE)}
    files.require(DATASETS["things"], source, [source / name for name in (CONCEPTS, EMBEDDING) if not paths[name]])
    concepts = read_concepts(paths[CONCEPTS])
    embedding = read_embedding(paths[EMBEDDING], len(concepts))
    folder = things_images.folder(concepts, source, images)
    stimuli, missing = read_images(folder, concepts)
    if missing:
        say(f"no images of {len(missing)} of {len(concepts)} concepts: {listed(missing)}; prepared without them")
    built = [_prepare_spose(stimuli, embedding, concepts, folder, paths, say)]
    chosen = paths[TRIPLETS] or paths[TRIPLET_TABLE]
    if chosen is None:
        say(f"{TRIPLET} is not made: neither {TRIPLETS} nor {TRIPLET_TABLE} is in {source}")
        return built
    return [*built, _prepare_triplet(stimuli, chosen, len(concepts), folder, paths, say)]


def embedding_of(stimuli, embedding: np.ndarray, concepts: list[str]):
    """The embedding as an assembly with a row for every image; concepts without images have no row.

    Parameters
    ----------
    stimuli : data frame with stimulus_id, concept and concept_index.
    embedding : (concepts, dimensions).
    concepts : all of them, in the owners' order.

    Returns
    -------
    Assembly with these coordinates and, in ``attrs``, ``n_concepts`` and the names of ``missing_concepts`` in a string.
    """
    shown = set(stimuli["concept"])
    return assemblies.neuroid_assembly(
        embedding[stimuli["concept_index"].values],
        presentation={name: stimuli[name].values for name in ("stimulus_id", "concept", "concept_index")},
        neuroid={
            "neuroid_id": [f"spose_{i:02d}" for i in range(embedding.shape[1])],
            "subject": ["all"] * embedding.shape[1],
            "region": ["behavior"] * embedding.shape[1],
        },
        n_concepts=len(concepts),
        missing_concepts=" ".join(concept for concept in concepts if concept not in shown),
    )


def _prepare_spose(stimuli, embedding, concepts, folder, paths, say) -> str:
    inputs = _inputs(folder, [paths[CONCEPTS], paths[EMBEDDING]], stimuli)
    if store.is_made_from(SPOSE, inputs):
        say(f"{SPOSE}: ready, made from these files before")
        return SPOSE
    assembly, n = embedding_of(stimuli, embedding, concepts), stimuli["concept"].nunique()
    source = {"inputs": inputs, "concepts": n, "of_concepts": len(concepts)}
    store.save(SPOSE, assembly, stimuli, folder, "Hebart2023_local.images", source)
    say(f"{SPOSE}: {len(stimuli)} images of {_of(n, len(concepts))} concepts, {embedding.shape[1]} dimensions")
    return SPOSE


def _prepare_triplet(stimuli, chosen, n_concepts, folder, paths, say) -> str:
    from brainscore_core.supported_data_standards.brainio.assemblies import BehavioralAssembly

    inputs = _inputs(folder, [paths[CONCEPTS], chosen], stimuli)
    if store.is_made_from(TRIPLET, inputs):
        say(f"{TRIPLET}: ready, made from these files before")
        return TRIPLET
    first = stimuli.drop_duplicates("concept").reset_index(drop=True)
    first["stimulus_id"] = first["concept_index"]  # numbers from 0, as in Brain-Score's data
    every = read_choices(chosen, n_concepts)
    rows = every[np.isin(every, first["concept_index"]).all(axis=1)]
    if not len(rows):
        raise ValueError(f"{chosen}: no choice among the {len(first)} concepts with images")
    assembly = BehavioralAssembly(
        rows[:, 2],
        dims=["presentation"],
        coords={
            "stimulus_id": ("presentation", rows[:, 2]),
            "triplet_id": ("presentation", [f"triplet_{i}" for i in range(len(rows))]),
            **{f"image_{i + 1}": ("presentation", rows[:, i]) for i in range(3)},
        },
    )
    store.save(TRIPLET, assembly, first, folder, "Hebart2023_local.concepts", {"inputs": inputs})
    say(f"{TRIPLET}: {_of(len(rows), len(every))} choices from {chosen.name}, {len(first)} images")
    return TRIPLET


def read_concepts(path: Path) -> list[str]:
    """The unique ids of the concepts, in the owners' order."""
    concepts = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if len(set(concepts)) != len(concepts):
        raise ValueError(f"{path}: expected every concept once, got {len(concepts)} with {len(set(concepts))} names")
    if len(concepts) == N_CONCEPTS and concepts == sorted(concepts):
        raise ValueError(f"{path}: expected the owners' order of concepts, as in the embedding, got the alphabet")
    return concepts


def read_embedding(path: Path, n_concepts: int) -> np.ndarray:
    """The embedding (concepts, dimensions) float64, from a table separated by tabs or spaces."""
    try:
        embedding = np.loadtxt(path, ndmin=2)
    except ValueError as error:
        raise ValueError(f"{path}: expected a table of numbers; it is damaged or cut short ({error})") from error
    if len(embedding) != n_concepts or not np.isfinite(embedding).all():
        raise ValueError(
            f"{path}: expected {n_concepts} rows of finite numbers, one for each line of {CONCEPTS}, got "
            f"{len(embedding)}; the file is cut short, or the two are not of one data set"
        )
    return embedding


def read_images(folder: Path, concepts: list[str]):
    """All images, ordered by concept (the owners' order) and name; and the concepts that have none.

    Returns
    -------
    Data frame with stimulus_id, concept, concept_index and filename (``camera1/camera1_01b.jpg``); list of concepts.

    Raises
    ------
    FileNotFoundError
        Where fewer than half of the concepts have images.
    """
    import pandas as pd

    rows, missing = [], []
    for index, concept in enumerate(concepts):
        names = sorted(path.name for path in (folder / concept).glob("*.jpg") if not path.name.startswith("."))
        names = [name for name in names if things_images.concept_of(Path(name).stem) == concept]
        rows += [(Path(name).stem, concept, index, f"{concept}/{name}") for name in names]
        if not names:
            missing.append(concept)
    if len(concepts) - len(missing) < MIN_SHARE * len(concepts):
        raise FileNotFoundError(
            f"{folder} lacks the images of {len(missing)} of {len(concepts)} concepts: {listed(missing)}; at least "
            f"half of the concepts need images ({DATASETS['things'].access})"
        )
    return pd.DataFrame(rows, columns=["stimulus_id", "concept", "concept_index", "filename"]), missing


def listed(names: list[str]) -> str:
    """The first names, and how many more there are.

    >>> listed(["baton2", "bow2"]), listed(list("abcdefghij"))
    ('baton2, bow2', 'a, b, c, d, e, f, g, h and 2 more')
    """
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _of(n: int, every: int) -> str:
    return str(n) if n == every else f"{n} of {every}"


def _inputs(folder: Path, paths: list[Path], stimuli) -> dict:
    return {"images": str(folder), "n_images": len(stimuli), "files": [files.fingerprint(path) for path in paths]}


def _find(source: Path, name: str) -> Path | None:
    found = [path for below in BELOW for path in sorted(source.glob(below + name)) if path.is_file()]
    if len(found) > 1 and len({sha256_of(path) for path in found}) > 1:
        raise ValueError(f"{source} has different files {name}: {', '.join(map(str, found))}; name one folder of them")
    return found[0] if found else None
