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

CONCEPTS, EMBEDDING = "unique_id.txt", "spose_embedding_66d_sorted.txt"
TRIPLETS, TRIPLET_TABLE = "validationset.txt", "triplets_large_final_correctednc_correctedorder.csv"
N_CONCEPTS = 1854
N_TRIPLETS = 453_642  # number in validationset.txt, as in Brain-Score's Hebart2023
BELOW = ("", "*/", "*/*/")  # folders that may contain the files, as patterns
SPOSE, TRIPLET = "Hebart2023_local.spose", "Hebart2023_local.triplet"


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
    folder = things_images.folder(concepts[0], source, images)
    stimuli = read_images(folder, concepts)
    built = [_prepare_spose(stimuli, embedding, folder, paths, say)]
    chosen = paths[TRIPLETS] or paths[TRIPLET_TABLE]
    if chosen is None:
        say(f"{TRIPLET} is not made: neither {TRIPLETS} nor {TRIPLET_TABLE} is in {source}")
        return built
    return [*built, _prepare_triplet(stimuli, chosen, folder, paths, say)]


def _prepare_spose(stimuli, embedding, folder, paths, say) -> str:
    inputs = _inputs(folder, [paths[CONCEPTS], paths[EMBEDDING]], stimuli)
    if store.is_made_from(SPOSE, inputs):
        say(f"{SPOSE}: ready, made from these files before")
        return SPOSE
    assembly = assemblies.neuroid_assembly(
        embedding[stimuli["concept_index"].values],
        presentation={name: stimuli[name].values for name in ("stimulus_id", "concept", "concept_index")},
        neuroid={
            "neuroid_id": [f"spose_{i:02d}" for i in range(embedding.shape[1])],
            "subject": ["all"] * embedding.shape[1],
            "region": ["behavior"] * embedding.shape[1],
        },
    )
    store.save(SPOSE, assembly, stimuli, folder, "Hebart2023_local.images", {"inputs": inputs})
    say(f"{SPOSE}: {len(stimuli)} images of {len(embedding)} concepts, {embedding.shape[1]} dimensions")
    return SPOSE


def _prepare_triplet(stimuli, chosen, folder, paths, say) -> str:
    from brainscore_core.supported_data_standards.brainio.assemblies import BehavioralAssembly

    inputs = _inputs(folder, [paths[CONCEPTS], chosen], stimuli)
    if store.is_made_from(TRIPLET, inputs):
        say(f"{TRIPLET}: ready, made from these files before")
        return TRIPLET
    first = stimuli.drop_duplicates("concept").reset_index(drop=True)
    first["stimulus_id"] = first["concept_index"]  # numbers from 0, as in Brain-Score's data
    read = read_triplets if chosen.name == TRIPLETS else read_triplet_table
    rows = read(chosen, len(first))
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
    say(f"{TRIPLET}: {len(rows)} choices from {chosen.name}, {len(first)} images")
    return TRIPLET


def read_concepts(path: Path) -> list[str]:
    """The unique ids of the concepts, in the owners' order."""
    concepts = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if len(set(concepts)) != len(concepts):
        raise ValueError(f"{path}: expected every concept once, got {len(concepts)} with {len(set(concepts))} names")
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
    """All images, ordered by concept (the owners' order) and name.

    Returns
    -------
    Data frame with stimulus_id, concept, concept_index and filename (``camera1/camera1_01b.jpg``).
    """
    import pandas as pd

    rows, empty = [], []
    for index, concept in enumerate(concepts):
        names = sorted(path.name for path in (folder / concept).glob("*.jpg") if not path.name.startswith("."))
        names = [name for name in names if things_images.concept_of(Path(name).stem) == concept]
        rows += [(Path(name).stem, concept, index, f"{concept}/{name}") for name in names]
        if not names:
            empty.append(concept)
    if empty:
        raise FileNotFoundError(
            f"{folder} lacks the images of {len(empty)} of {len(concepts)} concepts, such as {empty[0]}; unpack all of "
            f"the THINGS images ({DATASETS['things'].access})"
        )
    return pd.DataFrame(rows, columns=["stimulus_id", "concept", "concept_index", "filename"])


def read_triplets(path: Path, n_concepts: int) -> np.ndarray:
    """Triplets (t, 3) of concept numbers from 0, the odd one last, from a text file of lines ``a b odd``."""
    import pandas as pd

    try:
        table = pd.read_csv(path, sep=r"\s+", header=None, dtype=np.int32)
    except ValueError as error:
        raise ValueError(f"{path}: expected lines of three numbers; it is damaged or cut short ({error})") from error
    if n_concepts == N_CONCEPTS and len(table) != N_TRIPLETS:
        raise ValueError(f"{path}: expected {N_TRIPLETS} lines, got {len(table)}; the file is cut short")
    return _checked(path, table.to_numpy(), n_concepts)


def read_triplet_table(path: Path, n_concepts: int, n: int = N_TRIPLETS, seed: int = 42) -> np.ndarray:
    """Like ``read_triplets``, from the owners' table of all choices: three numbers from 1, and the odd one's position.

    Uses ``n`` random choices outside the test sets (noise_ceiling 0), in the table's order. The table does not say
    which of them are in validationset.txt; the others were used to fit the embedding.
    """
    import pandas as pd

    columns = ["image1", "image2", "image3", "choice", "noise_ceiling"]
    try:
        table = pd.read_csv(path, sep="\t", usecols=columns)
        table = table[table["noise_ceiling"] == 0][columns[:4]].astype(np.int32).to_numpy()
    except ValueError as error:
        raise ValueError(f"{path}: expected the columns {', '.join(columns)}; ({error})") from error
    if len(table) > n:
        table = table[np.sort(np.random.RandomState(seed).permutation(len(table))[:n])]
    if not np.isin(table[:, 3], (1, 2, 3)).all():
        raise ValueError(f"{path}: expected choices 1, 2 or 3, got {sorted(set(table[:, 3]))[:5]}")
    odd = table[:, 3] - 1
    others = np.array([[1, 2], [0, 2], [0, 1]])[odd]
    order = np.column_stack([others, odd])
    return _checked(path, np.take_along_axis(table[:, :3], order, axis=1) - 1, n_concepts)


def _checked(path: Path, rows: np.ndarray, n_concepts: int) -> np.ndarray:
    fits = rows.ndim == 2 and rows.shape[1] == 3 and len(rows) > 0
    if not fits or rows.min() < 0 or rows.max() >= n_concepts:
        raise ValueError(f"{path}: expected three concepts from {n_concepts} in each line, got others")
    a, b, odd = rows.T
    if ((a == b) | (a == odd) | (b == odd)).any():
        raise ValueError(f"{path}: expected three different concepts in each line, got one twice")
    return rows


def _inputs(folder: Path, paths: list[Path], stimuli) -> dict:
    return {"images": str(folder), "n_images": len(stimuli), "files": [files.fingerprint(path) for path in paths]}


def _find(source: Path, name: str) -> Path | None:
    found = [path for below in BELOW for path in sorted(source.glob(below + name)) if path.is_file()]
    if len(found) > 1 and len({sha256_of(path) for path in found}) > 1:
        raise ValueError(f"{source} has different files {name}: {', '.join(map(str, found))}; name one folder of them")
    return found[0] if found else None
