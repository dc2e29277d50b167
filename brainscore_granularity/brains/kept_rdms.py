"""What benchmarks ask of a model that a session has loaded: bare features, and RDMs that are kept.

A model that was loaded in another way is asked as Brain-Score does; the numbers are the same.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import home, write_atomically

from .recorder import committed_layers, content

RDM_VERSION = 2  # raised when `rsa.rdm` or the preprocessing gives other numbers: kept RDMs are then made anew


def features(candidate, region: str, stimuli) -> np.ndarray | None:
    """Activations (images, features) to a stimulus set, rows in its order, without the assembly around them.

    None if the model has no recorder, so that it must be asked in Brain-Score's way. An assembly describes every
    feature in ten coordinates, which takes longer than the forward pass of a small network.
    """
    recorder, layers = getattr(candidate, "recorder", None), committed_layers(candidate, region)
    if recorder is None or not layers:
        return None
    return recorder.features([str(stimuli.get_stimulus(stimulus)) for stimulus in stimuli["stimulus_id"]], layers)


def rdm(
    candidate, layer: str | None, stimuli, compute: Callable[[], np.ndarray], groups=None, scaling: str = "none"
) -> np.ndarray:
    """A model's RDM of a stimulus set: from an earlier pair, from disk, or computed.

    On disk it is kept for models whose weights have a hash, under a name that holds all it depends on: model and
    weights hash, preprocessing, layer, scaling of the features, the content of every image in order, and the versions
    that compute it.

    groups : where a row stands for several stimuli; such RDMs are not kept.
    """
    recorder = getattr(candidate, "recorder", None)
    if recorder is None or layer is None or groups is not None:
        return compute()
    paths = [str(stimuli.get_stimulus(stimulus)) for stimulus in stimuli["stimulus_id"]]
    key = (layer, *([] if scaling == "none" else [scaling]), *map(content, paths))
    if key not in recorder.rdms:
        file = _rdm_file(candidate, key)
        recorder.rdms[key] = _read_rdm(file, len(paths))
        if recorder.rdms[key] is None:
            recorder.rdms[key] = compute()
            _write_rdm(file, recorder.rdms[key])
    return recorder.rdms[key].copy()


def _rdm_file(candidate, key) -> Path | None:
    import torch

    from brainscore_granularity import __version__

    weights = getattr(candidate, "checkpoint_sha256", None)
    if weights is None:
        return None
    extractor = candidate.activations_model._extractor
    versions = __version__, torch.__version__, np.__version__, RDM_VERSION
    made_by = *versions, extractor._resolution, extractor._batch_size
    name = hashlib.sha256(repr((candidate.identifier, weights, made_by, key)).encode()).hexdigest()
    return home() / "rdms" / name[:2] / f"{name[2:34]}.npz"


def _read_rdm(file: Path | None, n: int) -> np.ndarray | None:
    if file is None or not file.exists():
        return None
    try:
        with np.load(file) as content:  # checks the content
            found = content["rdm"]
    except Exception:  # noqa: S112  damaged: computed again
        return None
    return found if found.shape == (n, n) else None


def _write_rdm(file: Path | None, values: np.ndarray) -> None:
    if file is None:
        return
    buffer = BytesIO()
    np.savez(buffer, rdm=values)
    with contextlib.suppress(OSError):  # a full or read-only disk costs time later, not the score
        write_atomically(file, buffer.getvalue(), durable=False)
