"""Stimuli as a model with another field of view sees them: cropped, or padded with grey.

What Brain-Score's ``place_on_screen`` does, pixel for pixel, without its traps: it converts every row of a stimulus
set, also the repeated ones; files of one name in two folders overwrite each other; JPEGs are compressed again; and
images that changed since are not noticed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet
from brainscore_vision.benchmark_helpers.screen import ImageConverter

from brainscore_granularity.paths import home


def place_on_screen(stimuli: StimulusSet, target_degrees: float, source_degrees: float | None) -> StimulusSet:
    """The stimulus set with images cropped or padded from ``source_degrees`` to ``target_degrees``.

    Each image is converted once and kept under the package's home; the folder's name depends on the images' paths,
    sizes and times, so that changed images are converted anew. None: the images fill any field of view.
    """
    if source_degrees is None or source_degrees == target_degrees:
        return stimuli
    ids = list(stimuli["stimulus_id"])
    originals = {stimulus: Path(stimuli.get_stimulus(stimulus)) for stimulus in ids}
    unique = list(dict.fromkeys(originals.values()))
    states = [(str(path), (s := path.stat()).st_size, s.st_mtime_ns) for path in unique]
    key = hashlib.sha256(repr((states, float(source_degrees), float(target_degrees))).encode()).hexdigest()[:16]
    folder = home() / "screen" / key
    if not folder.is_dir():
        _convert(unique, folder, target_degrees / source_degrees)
    converted = {path: folder / f"{i:06d}.png" for i, path in enumerate(unique)}
    shown = StimulusSet(stimuli.copy(deep=True))
    shown.stimulus_paths = {stimulus: converted[path] for stimulus, path in originals.items()}
    shown.identifier = f"{stimuli.identifier}--target{target_degrees:.2f}--source{source_degrees:.2f}-{key[:6]}"
    shown["degrees"] = target_degrees
    return shown


def _convert(paths: list[Path], folder: Path, ratio: float) -> None:
    """All images into a folder that appears when it is complete."""
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    converter = ImageConverter(temporary)
    try:
        for i, path in enumerate(paths):
            with converter._load_image(path) as image:
                rgb = image.convert("RGB") if image.mode not in ("RGB", "RGBA") else image
                converter.apply_ratio(rgb, ratio).save(temporary / f"{i:06d}.png", compress_level=1)
        try:
            temporary.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
