"""Write the images of an owner's array as PNG files into a folder that several builds share."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import write_atomically
from brainscore_granularity.progress import progress


def write_missing(folder: Path, names: list[str], pixels: Callable[[int], np.ndarray], title: str) -> None:
    """Write the PNG files that are missing or incomplete; ``pixels(i)`` gives (height, width, 3) uint8 of names[i].

    Every PNG carries checksums of its content, so that files of an interrupted or damaged earlier run are found.
    """
    missing = [i for i, name in enumerate(names) if not _is_whole(folder / name)]
    with progress(title, len(missing)) as advance:
        for i in missing:
            write_png(folder / names[i], pixels(i))
            advance()


def write_png(path: Path, pixels: np.ndarray) -> None:
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)  # takes a third of the time and 10% more space
    write_atomically(path, buffer.getvalue(), durable=False)


def _is_whole(path: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.verify()
        return True
    except (OSError, SyntaxError):
        return False
