"""People's odd-one-out choices among the concepts of THINGS, from either of the owners' two files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

TRIPLETS, TRIPLET_TABLE = "validationset.txt", "triplets_large_final_correctednc_correctedorder.csv"
N_CONCEPTS = 1854
N_TRIPLETS = 453_642  # number in validationset.txt, as in Brain-Score's Hebart2023


def read_choices(path: Path, n_concepts: int) -> np.ndarray:
    """Triplets (t, 3) of concept numbers from 0, the odd one last, from whichever of the two files it is."""
    return (read_triplets if path.name == TRIPLETS else read_triplet_table)(path, n_concepts)


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
