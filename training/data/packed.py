"""Reading a packed dataset: open it, check it, and go through it in an order that suits the disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import windows

BLOCK = 256  # images per block; the unit of checksums, of parallel work, and of what a killed run can lose
FORMAT = 1


class PackError(RuntimeError):
    """A pack is damaged, incomplete, or holds other images; the message says which and how to fix it."""


@dataclass(frozen=True, eq=False)
class Packed:
    """Images ready to train on; the pixels stay on disk until they are read."""

    pixels: np.ndarray = field(repr=False)
    """(n, size, size, 3) uint8, memory-mapped, read-only."""
    labels: np.ndarray = field(repr=False)
    """(n,) int64: index into ``classes``."""
    classes: tuple[str, ...] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    """``<class>/<file>``, in the order of the pixels."""
    fingerprint: str
    """Hash of the pixels, their size and the names."""
    info: dict = field(repr=False)
    """What ``pack.json`` says: size, resize, number of images and of broken ones, fingerprint of the source."""

    def __len__(self) -> int:
        return len(self.names)

    def __reduce__(self):
        """Another process opens the files itself instead of being sent the pixels."""
        return load, (Path(self.pixels.filename).parent, False)

    def read(self, images: np.ndarray) -> np.ndarray:
        """Pixels of the images with these numbers, (len(images), size, size, 3), read in the order on disk."""
        return windows.read(self.pixels, images)


def load(folder: str | os.PathLike, verify: bool = True) -> Packed:
    """Open a pack; ``verify`` reads all of it once and compares every block with its checksum."""
    folder = Path(folder)
    again = "pack it again from the same source and only what is damaged or missing is decoded"
    try:
        info = json.loads((folder / "pack.json").read_text())
        names = (folder / "names.json").read_bytes()
        n, size, checksums = info["images"], info["size"], info["blocks"]
        if sha256(names) != info["names"]:
            raise PackError(f"{folder / 'names.json'} is damaged: its checksum differs; {again}")
        found = (folder / "pixels.u8").stat().st_size
        if found != n * size * size * 3:
            raise PackError(
                f"{folder / 'pixels.u8'} has {found} bytes, expected {n * size * size * 3} for {n} images of "
                f"{size} x {size}; block {found // (BLOCK * size * size * 3)} is the first that is incomplete; {again}"
            )
    except FileNotFoundError as error:
        if (folder / "plan.json").exists():
            finished = len(journal(folder))
            raise PackError(f"the pack in {folder} is incomplete ({finished} blocks finished); {again}") from error
        raise PackError(f"no pack in {folder}: {error.filename} is missing; make it with pack()") from error
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise PackError(f"{folder / 'pack.json'} is damaged ({error!r}); delete {folder} and pack again") from error
    pixels = np.memmap(folder / "pixels.u8", np.uint8, "r", shape=(n, size, size, 3))
    if verify:
        with ThreadPoolExecutor() as pool:  # hashing releases the interpreter lock
            hashes = pool.map(lambda b: sha256(pixels[b * BLOCK : (b + 1) * BLOCK]), range(len(checksums)))
            for b, (is_, expected) in enumerate(zip(hashes, checksums, strict=True)):
                if is_ != expected:
                    raise PackError(
                        f"block {b} of {folder / 'pixels.u8'} (images {b * BLOCK} to {min(n, (b + 1) * BLOCK) - 1}) is "
                        f"damaged: its SHA-256 is {is_[:12]}..., expected {expected[:12]}...; {again}"
                    )
    names, classes = tuple(json.loads(names)), tuple(info["classes"])
    number = {label: i for i, label in enumerate(classes)}
    content = json.dumps([FORMAT, size, BLOCK, info["names"], classes, checksums])
    return Packed(
        pixels=pixels,
        labels=np.array([number[name.split("/", 1)[0]] for name in names], np.int64),
        classes=classes,
        names=names,
        fingerprint=hashlib.sha256(content.encode()).hexdigest(),
        info={key: info[key] for key in ("size", "resize", "images", "broken", "source")},
    )


def blocks(packed: Packed, seed: int, epoch: int, block: int = 32, window: int = 256) -> Iterator[np.ndarray]:
    """Image numbers of one epoch in a random order that reads the disk in runs; every image exactly once.

    Runs of ``block`` neighbouring images are dealt in random order; ``window`` of them at a time are mixed and
    given out together, as an array of image numbers for ``Packed.read``. Neighbours are of one class, so runs are
    short and windows wide: a window of 8,192 images comes from 256 places all over the data.
    """
    rng = np.random.default_rng([seed, epoch])
    starts = rng.permutation(np.arange(0, len(packed), block))
    for first in range(0, len(starts), window):
        runs = [np.arange(s, min(s + block, len(packed))) for s in starts[first : first + window]]
        yield rng.permutation(np.concatenate(runs))


def sha256(content: bytes | np.ndarray) -> str:
    return hashlib.sha256(content).hexdigest()


def journal(folder: Path) -> dict[int, tuple[str, dict[str, str]]]:
    """Finished blocks of an unfinished pack: {block: (checksum, {row: why it is broken})}."""
    finished = {}
    try:
        lines = (folder / "blocks.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return finished
    for line in lines:
        try:
            block, checksum, bad = json.loads(line)
        except ValueError:  # the line that was being written when the run was killed
            continue
        finished[block] = (checksum, bad)
    return finished
