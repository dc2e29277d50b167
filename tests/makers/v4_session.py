"""A made-up session in the form of the files of Cowley et al. (2023)."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def write_session(folder: Path, session: str, responses, images, raw: bool = False) -> None:
    """Write images of 8 pixels and responses to them.

    Parameters
    ----------
    responses : (units, images), or with ``raw`` (units, images, repeats)
    images : a seed for each image; equal ones are the same image.
    """
    kind = "responses_raw" if raw else "responses_repeat_averaged"
    for name in ("images", kind):
        (folder / name).mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "images" / f"images_{session}.zip", "w") as archive:
        for k, seed in enumerate(images):
            buffer = io.BytesIO()
            pixels = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(buffer, "JPEG")
            archive.writestr(f"image{k + 1:04d}.jpg", buffer.getvalue())
    np.save(folder / kind / f"responses_{session}.npy", responses)
