"""Features of every image, written to disk in blocks, so that those of a million images need not fit in memory.

A spool is a folder with ``features.bin`` (rows in image order) and ``spool.json`` (what the rows are, and a checksum
of every finished block). A stopped run resumes after the last finished block.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from brainscore_granularity.networks import IMAGENET_MEAN, IMAGENET_STD
from brainscore_granularity.paths import write_atomically
from brainscore_granularity.progress import progress

from .rule import unit_length

BLOCK = 1024  # images between two records of progress
PRECISIONS = {"half": np.float16, "single": np.float32}


class SpoolError(ValueError):
    """A folder of features is damaged or belongs to other images or another network."""


@dataclass(frozen=True)
class Encoder:
    """A network that turns images into feature vectors, and the input it expects."""

    name: str
    network: nn.Module  # (n, 3, size, size) normalised -> (n, ...): trailing dimensions are flattened
    image_size: int
    fingerprint: str
    """Hash of the weights: stored features are reused only if it is the same."""
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD

    @torch.no_grad()
    def __call__(self, pixels: np.ndarray, device: torch.device) -> np.ndarray:
        """(n, size, size, 3) uint8 -> (n, features) float32; other sizes are resized."""
        images = torch.from_numpy(np.array(pixels)).to(device).permute(0, 3, 1, 2).float() / 255
        if images.shape[-2:] != (self.image_size, self.image_size):
            size = (self.image_size, self.image_size)
            images = F.interpolate(images, size, mode="bicubic", antialias=True).clamp(0, 1)
        mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (self.mean, self.std))
        return self.network((images - mean) / std).flatten(1).float().cpu().numpy()


@dataclass(frozen=True)
class Spool:
    """Finished features on disk: unit-length rows in the order of the images."""

    folder: Path
    images: int
    width: int
    dtype: np.dtype
    checksums: tuple[int, ...]

    def blocks(self) -> Iterator[np.ndarray]:
        """One pass over the features in blocks (rows, width) float64; every row has length 1."""
        for number, checksum in enumerate(self.checksums):
            start = number * BLOCK
            rows = min(BLOCK, self.images - start)
            content = _read(self.folder / "features.bin", start * self._row_bytes, rows * self._row_bytes)
            if zlib.crc32(content) != checksum:
                raise SpoolError(
                    f"{self.folder / 'features.bin'} is damaged at images {start} to {start + rows - 1}: checksum "
                    f"{zlib.crc32(content):08x}, expected {checksum:08x}. Delete {self.folder} and run again."
                )
            # Normalised again, because rounding to the stored precision has changed the length a little.
            yield unit_length(np.frombuffer(content, self.dtype).reshape(rows, self.width))

    @property
    def _row_bytes(self) -> int:
        return self.width * self.dtype.itemsize


def spool(
    encoder: Encoder,
    pixels: np.ndarray,
    names: Sequence[str],
    fingerprint: str,
    folder: Path,
    *,
    batch_size: int = 256,
    precision: str = "half",
    device: torch.device | str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Spool:
    """Features of all images; extracts those that are not yet on disk.

    Parameters
    ----------
    pixels : (images, size, size, 3) uint8, in memory or memory-mapped; read in blocks of rows.
    names : names of the images, in the same order.
    fingerprint : hash of the images; with the hash of the encoder's weights it identifies the features in a folder.
    folder : where the features are kept.
    precision : precision of the stored rows. Half needs 2 bytes a feature: 10.6 GB for 1.3 million images of 4,096.
    say : called with a message about the disk space needed.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}; known: {', '.join(PRECISIONS)}")
    if len(pixels) != len(names) or not len(names):
        raise ValueError(f"expected one name for each of {len(pixels)} images, got {len(names)}")
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    encoder.network.eval().to(device)
    width = encoder(pixels[:1], device).shape[1]
    dtype = np.dtype(PRECISIONS[precision])
    owner = {
        "encoder": encoder.name,
        "weights": encoder.fingerprint,
        "data": fingerprint,
        "names": hashlib.sha256("\n".join(names).encode()).hexdigest(),
        "pixels": list(pixels.shape[1:]),
        "images": len(names),
        "width": width,
        "dtype": dtype.name,
        "block": BLOCK,
    }
    checksums = _finished(folder, owner)
    data, row_bytes = folder / "features.bin", width * dtype.itemsize
    needed = (len(names) - min(len(names), len(checksums) * BLOCK)) * row_bytes
    _require_space(folder, needed)
    total = _size(len(names) * row_bytes)
    say(f"features of {len(names)} images x {width}: {total} in {folder}, {_size(needed)} of it to write")

    starts = range(len(checksums) * BLOCK, len(names), BLOCK)
    with progress(f"features from {encoder.name}", len(starts)) as advance:
        for start in starts:
            stop = min(start + BLOCK, len(names))
            rows = [encoder(pixels[i : min(i + batch_size, stop)], device) for i in range(start, stop, batch_size)]
            content = _normalised(np.concatenate(rows), names[start:stop], encoder).astype(dtype).tobytes()
            _write(data, start * row_bytes, content)
            checksums.append(zlib.crc32(content))
            write_atomically(folder / "spool.json", json.dumps({**owner, "checksums": checksums}) + "\n")
            advance()
    return Spool(folder, len(names), width, dtype, tuple(checksums))


def _normalised(features, names, encoder):
    length = np.linalg.norm(features.astype(np.float64), axis=1)
    if (bad := np.flatnonzero(~np.isfinite(length) | (length == 0))).size:
        raise ValueError(
            f"{encoder.name} gives {bad.size} images of this block features that are all zero, NaN or infinite "
            f"(first: {names[bad[0]]}); these weights cannot define classes"
        )
    return features / length[:, None]


def _finished(folder, owner):
    """Checksums of the blocks that are already on disk, after checking that they belong to this run."""
    path = folder / "spool.json"
    try:
        record = json.loads(path.read_text())
        checksums = record.pop("checksums")
    except FileNotFoundError:
        return []
    except (json.JSONDecodeError, KeyError, AttributeError) as error:
        raise SpoolError(
            f"{path} is damaged ({type(error).__name__}: {error}). Delete {folder} and run again."
        ) from error
    if different := [key for key in owner if record.get(key) != owner[key]]:
        key = different[0]
        raise SpoolError(
            f"{folder} holds features of another run: {key} is {record.get(key)!r} there and {owner[key]!r} here. "
            "Nothing was overwritten; choose another folder or delete that one."
        )
    data, row_bytes = folder / "features.bin", owner["width"] * np.dtype(owner["dtype"]).itemsize
    have = data.stat().st_size // row_bytes if data.exists() else 0
    complete = [number for number in range(len(checksums)) if have >= min((number + 1) * BLOCK, owner["images"])]
    return checksums[: len(complete)]


def _require_space(folder, needed):
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(
            f"the features need {_size(needed)} in {folder}, where {_size(free)} are free; choose another disk"
        )


def _read(path, offset, size):
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(size)


def _write(path, offset, content):
    with open(path, "r+b" if path.exists() else "w+b") as file:
        file.seek(offset)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _size(n_bytes):
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e8 else f"{n_bytes / 1e6:.1f} MB"
