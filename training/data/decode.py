"""Decoding of image files to pixels, and the worker processes that do it block by block."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
import zipfile
import zlib

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from .packed import BLOCK, sha256
from .sources import Source


def decode(content: bytes, size: int, resize: int) -> np.ndarray:
    """An image file -> (size, size, 3) uint8; raises PIL's errors if it cannot be read completely."""
    image = Image.open(io.BytesIO(content))
    if image.mode.startswith(("I", "F")):
        raise ValueError(f"mode {image.mode}: more than 8 bits a channel, which RGB would clip; convert it first")
    if image.mode != "RGB":  # converting an RGB image would only copy it
        image = image.convert("RGB")
    image.load()
    short = min(image.size)
    if short != resize:
        shape = [resize if side == short else int(resize * side / short) for side in image.size]
        image = image.resize(shape, Image.Resampling.BILINEAR)
    if image.size != (size, size):
        left, top = (round((side - size) / 2) for side in image.size)
        image = image.crop((left, top, left + size, top + size))
    return np.frombuffer(image.tobytes(), np.uint8).reshape(size, size, 3)


def start_worker(parent: int, source: Source, rows: np.ndarray, pixels: str, plan: dict) -> None:
    """Called once in each worker: what to read, where to write, and the parent process with which it must end."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    buffer = np.empty((BLOCK, plan["size"], plan["size"], 3), np.uint8)  # reused: new memory pages are slow
    _worker = (source, rows, os.open(pixels, os.O_RDWR), buffer, plan["resize"])

    def leave_with_parent():  # a worker of a killed run would wait for its next block for ever
        while os.getppid() == parent:
            time.sleep(0.1)
        os._exit(1)

    threading.Thread(target=leave_with_parent, daemon=True).start()


def work(b: int, checksum: str | None, bad: dict | None) -> tuple[int, str, dict]:
    """Write block ``b`` in place, unless it exists with the recorded checksum."""
    source, rows, file, buffer, resize = _worker
    mine = rows[b * BLOCK : (b + 1) * BLOCK]
    block, size = buffer[: len(mine)], buffer.shape[1]
    offset = b * buffer.nbytes
    if checksum and sha256(os.pread(file, block.nbytes, offset)) == checksum:
        return b, checksum, bad
    bad = {}
    block.fill(0)  # a broken image is black until `_close_gaps` removes it
    for i, row in enumerate(mine):
        try:
            content = source.read(row)
        except (zipfile.BadZipFile, zlib.error) as error:
            bad[int(row)] = f"damaged in the zip: {error}"
            continue
        try:
            block[i] = decode(content, size, resize)
        except UnidentifiedImageError:
            bad[int(row)] = "not an image" if content else "empty file"
        except MemoryError:
            raise
        except Exception as error:
            bad[int(row)] = " ".join(f"{type(error).__name__}: {error}".split())
    if (written := os.pwrite(file, block, offset)) != block.nbytes:
        raise OSError(f"only {written} of {block.nbytes} bytes of block {b} could be written: is the disk full?")
    return b, sha256(block), bad
