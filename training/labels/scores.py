"""Principal-component scores on disk, as targets of a regression: the scores that a source's classes are cut from.

One safetensors file holds the standardised scores; its header says how they were made, with a hash of the image names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import write_atomically

from .files import LabelFileError

SUFFIX = ".safetensors"


def standardised(scores: np.ndarray, of: np.ndarray | None = None) -> np.ndarray:
    """Scores (images, components) with mean 0 and standard deviation 1 in every column, float32.

    of : scores that give the mean and deviation; by default ``scores`` itself. Pass the training scores to standardise
        those of held-out images.
    """
    scores = np.asarray(scores, np.float64)
    of = scores if of is None else np.asarray(of, np.float64)
    spread = of.std(axis=0)
    if (flat := np.flatnonzero(spread == 0)).size:
        raise ValueError(f"component {flat[0] + 1} is the same for all images and cannot be regressed")
    return ((scores - of.mean(axis=0)) / spread).astype(np.float32)


def write(path: Path, names: Sequence[str], scores: np.ndarray, info: dict) -> None:
    """Write the scores of the images with these names; ``info`` must be JSON-able."""
    import safetensors.numpy

    if scores.ndim != 2 or len(scores) != len(names) or not np.isfinite(scores).all():
        raise LabelFileError(f"expected finite scores ({len(names)} images, components), got {scores.shape}")
    record = {**info, "images": len(names), "names": _hash(names)}
    tensors = {"scores": np.ascontiguousarray(scores, np.float32)}
    write_atomically(Path(path), safetensors.numpy.save(tensors, metadata={"info": json.dumps(record)}))


def read(path: Path, names: Sequence[str]) -> tuple[np.ndarray, dict]:
    """Scores (images, components) float32 of exactly these images in this order, and how they were made."""
    import safetensors

    try:
        with safetensors.safe_open(path, "numpy") as file:
            scores = file.get_tensor("scores")
            info = json.loads((file.metadata() or {})["info"])
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise LabelFileError(f"{path} is not a file of component scores ({error}); write it again") from error
    if info.get("names") != _hash(names) or len(scores) != len(names):
        raise LabelFileError(
            f"{path} holds scores of {len(scores)} images, not of these {len(names)} in this order; write it again "
            "with `granularity labels --source distilled`"
        )
    return scores, info


def _hash(names):
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
