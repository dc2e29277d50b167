"""Small pictures for figures: one mosaic in few colours, so that a figure stays small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIDE, GAP, COLOURS = 32, 2, 32  # pixels, pixels, colours of a mosaic


def mosaic(rows: list[list[Path]], side: int = SIDE, colours: int = COLOURS, blank: int = 0) -> np.ndarray:
    """A mosaic (height, width, 3) uint8: one row of thumbnails for each list of files, on white.

    colours : number of colours in the mosaic, without dithering, because flat colours compress well.
    blank : extra pixels in the middle of each row, between its first and its second half.
    """
    step, longest = side + GAP, max(map(len, rows))
    canvas = Image.new("RGB", (longest * step - GAP + blank, len(rows) * step - GAP), "white")
    for i, files in enumerate(rows):
        for j, file in enumerate(files):
            with Image.open(file) as image:
                small = image.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
            canvas.paste(small, (j * step + (blank if j >= longest // 2 else 0), i * step))
    return np.asarray(canvas.quantize(colours, dither=Image.Dither.NONE).convert("RGB"))
