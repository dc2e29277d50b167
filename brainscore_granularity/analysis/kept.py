"""Digests of layers on disk, in the package's home folder: made in one forward pass per model, read by all analyses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import home, write_atomically

from . import models
from .digests import DIGESTS
from .images import ImageSet, as_stimuli

VERSION = 2  # increased when digests of the same features change


def file(sets: Sequence[ImageSet], model: str, layer: str, kind: str) -> Path:
    """File for arrays made from a layer's features to sets of images; its name depends on all that they depend on."""
    import torch

    from brainscore_granularity import __version__

    made_by = VERSION, __version__, torch.__version__, np.__version__
    images = hashlib.sha256(repr([each.fingerprint for each in sets]).encode()).hexdigest()[:12]
    labels = sets[0].labels
    labels = None if labels is None else hashlib.sha256(repr(list(labels)).encode()).hexdigest()
    key = hashlib.sha256(repr((made_by, models.identity(model), labels)).encode()).hexdigest()[:12]
    return home() / "analyses" / images / f"{model.replace('/', '_')}-{key}" / f"{layer}.{kind}.npz"


def make(sets: Sequence[ImageSet], model: str, layers: list[str], kinds: Iterable[str]) -> None:
    """Show a model all images once and keep digests of its layers; see `digests.DIGESTS` for the kinds."""
    from brainscore_granularity.brains.layers import spooled

    loaded, kinds = models.load(model), list(kinds)
    paths = [path for images in sets for path in images.shown_at(loaded.visual_degrees())]
    stimuli = as_stimuli([f"{i:06d}" for i in range(len(paths))], paths, "analysis")
    with spooled(loaded, stimuli, layers) as spools:
        for name, spool in spools.items():
            for kind in kinds:
                write(file(sets, model, name, kind), DIGESTS[kind](spool, sets[0].labels, f"{model} {name}"))


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays by name, atomically."""
    buffer = BytesIO()
    np.savez(buffer, **arrays)
    write_atomically(path, buffer.getbuffer(), durable=False)


def read(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of a file; None if it is missing or damaged. A damaged file is deleted."""
    try:
        with np.load(path) as content:
            return {name: content[name] for name in content.files}
    except FileNotFoundError:
        return None
    except Exception:
        path.unlink(missing_ok=True)
        return None
