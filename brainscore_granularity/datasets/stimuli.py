"""Stimulus sets of image files, and of images in memory, stored as files at stable paths, each written once.

Brain-Score caches activations by stimulus identifier and compares file paths; the identifier therefore holds a hash of
the content and of the folder. The part before ``--`` is the registered name, as the cache requires.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
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
    return _stored(identifier, ids, ".png", pixels, _png, content, columns)


def from_bytes(identifier: str, ids: list[str], files: list[bytes], suffix: str, **columns) -> StimulusSet:
    """The same for images that are files already, such as those of an archive: their bytes are kept as they are.

    Parameters
    ----------
    files : content of each image's file.
    suffix : of the files, such as ".jpg".
    """
    content = hashlib.sha256(b"".join(hashlib.sha256(file).digest() for file in files)).hexdigest()[:12]
    return _stored(identifier, ids, suffix, files, bytes, content, columns)


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


def joined(identifier: str, stimulus_sets: list[StimulusSet]) -> StimulusSet:
    """One stimulus set of several, a stimulus of several of them once, where it comes first; one is left as it is.

    Parameters
    ----------
    identifier : a registered stimulus set or data set.
    """
    if len(stimulus_sets) == 1:
        return stimulus_sets[0]
    rows = pd.concat([pd.DataFrame(each) for each in stimulus_sets]).drop_duplicates("stimulus_id")
    stimuli = StimulusSet(rows.reset_index(drop=True))
    paths = {stimulus: path for each in reversed(stimulus_sets) for stimulus, path in each.stimulus_paths.items()}
    stimuli.stimulus_paths = {stimulus: paths[stimulus] for stimulus in stimuli["stimulus_id"]}
    names = "+".join(each.identifier for each in stimulus_sets)
    stimuli.identifier = f"{identifier}--{hashlib.sha256(names.encode()).hexdigest()[:12]}"
    return stimuli


def part_of(stimuli: StimulusSet, rows) -> StimulusSet:
    """Some rows of a stimulus set, under a name that tells them from other parts of it."""
    part = stimuli.iloc[list(rows)].reset_index(drop=True)
    which = hashlib.sha256("+".join(map(str, part["stimulus_id"])).encode()).hexdigest()[:12]
    part.stimulus_paths, part.identifier = stimuli.stimulus_paths, f"{stimuli.identifier}--part-{which}"
    return part


def kept(identifier: str, content: str, files: Iterable[tuple[str, Callable[[], bytes]]]) -> Path:
    """The folder of some files under the package's home, into which they are written once.

    files : (name, function that gives its bytes).
    """
    folder = home() / "stimuli" / f"{identifier}-{content}"
    if not (folder / "complete").exists():
        for name, read in files:
            # Not durable: many files, which are written again if lost.
            write_atomically(folder / name, read(), durable=False)
        write_atomically(folder / "complete", content)
    return folder


def _stored(identifier, ids, suffix, images, encode, content: str, columns: dict) -> StimulusSet:
    names = {stimulus: f"{stimulus}{suffix}" for stimulus in ids}
    written = zip(names.values(), (partial(encode, image) for image in images), strict=True)
    folder = kept(identifier, content, written)
    return _named(identifier, content, folder, {stimulus: folder / name for stimulus, name in names.items()}, columns)


def _named(identifier: str, content: str, folder: Path, paths: dict[str, Path], columns: dict) -> StimulusSet:
    names = [path.name for path in paths.values()]
    stimuli = StimulusSet({"stimulus_id": list(paths), "filename": names, **columns})
    stimuli.stimulus_paths = paths
    where = hashlib.sha256(str(folder).encode()).hexdigest()[:6]
    stimuli.identifier = f"{identifier}--{content}-{where}"
    return stimuli


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
