"""Stimulus sets of image files, and from images in memory, stored as PNG files at stable paths, each written once.

Brain-Score caches activations by stimulus identifier and compares file paths; the identifier therefore holds a hash of
the content and of the folder. The part before ``--`` is the registered name, as the cache requires.
"""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet

from brainscore_granularity.paths import home, write_atomically


def from_pixels(identifier: str, ids: list[str], pixels: np.ndarray, **columns) -> StimulusSet:
    """Write images as PNG files under the package's home, and return their stimulus set.

    Parameters
    ----------
    identifier : a registered stimulus set or data set.
    ids : stimulus ids, which become file names.
    pixels : (images, height, width, 3) uint8.
    columns : additional columns of the stimulus set.
    """
    content = hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()[:12]
    folder = home() / "stimuli" / f"{identifier}-{content}"
    paths = {stimulus: folder / f"{stimulus}.png" for stimulus in ids}
    if not (folder / "complete").exists():
        for stimulus, image in zip(ids, pixels, strict=True):
            _write_png(paths[stimulus], image)
        write_atomically(folder / "complete", content)
    return _named(identifier, content, folder, paths, columns)


def from_files(identifier: str, root: Path, files: dict[str, Path], content: str, **columns) -> StimulusSet:
    """The stimulus set of files that are there.

    Parameters
    ----------
    identifier : a registered stimulus set or data set.
    root : folder of all files.
    files : {stimulus id: path}.
    content : what the files hold, in hexadecimal, such as a hash of their hashes.
    columns : additional columns of the stimulus set.
    """
    return _named(identifier, content[:12], root, files, columns)


def _named(identifier: str, content: str, folder: Path, paths: dict[str, Path], columns: dict) -> StimulusSet:
    names = [path.name for path in paths.values()]
    stimuli = StimulusSet({"stimulus_id": list(paths), "filename": names, **columns})
    stimuli.stimulus_paths = paths
    where = hashlib.sha256(str(folder).encode()).hexdigest()[:6]
    stimuli.identifier = f"{identifier}--{content}-{where}"
    return stimuli


def _write_png(path: Path, pixels: np.ndarray) -> None:
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    write_atomically(path, buffer.getvalue(), durable=False)  # not durable: many files, which are written again if lost
