"""Batches cut from windows of images, each of which is read from the disk once, in runs of neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np


def read(pixels: np.ndarray, images: np.ndarray) -> np.ndarray:
    """``pixels[images]`` read in the order on disk, neighbours in one piece.

    Parameters
    ----------
    pixels : (n, size, size, 3) uint8, memory-mapped.
    images : (m,) numbers of images, in any order.
    """
    order = np.argsort(images, kind="stable")
    ordered = np.asarray(images)[order]
    out = np.empty((len(order), *pixels.shape[1:]), pixels.dtype)
    for run in np.split(np.arange(len(order)), np.flatnonzero(np.diff(ordered) != 1) + 1):
        if len(run):
            out[order[run]] = pixels[ordered[run[0]] : ordered[run[-1]] + 1]
    return out


def chunks(windows: Iterable[np.ndarray], skip: int, most: int) -> Iterator[np.ndarray]:
    """The image numbers of windows without the first ``skip``, at most ``most`` of them."""
    for window in windows:
        part = window[skip : skip + most]
        skip = max(0, skip - len(window))
        most -= len(part)
        if len(part):
            yield part


def batches(windows: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """Batches of ``size`` images from windows of pixels; a batch may span several windows."""
    rest = None
    for pixels in windows:
        start = 0
        if rest is not None:
            start = size - len(rest)
            pieces = np.concatenate([rest, pixels[:start]])
            rest = pieces if len(pieces) < size else None
            if rest is not None:
                continue
            yield pieces
        stop = start + (len(pixels) - start) // size * size
        for first in range(start, stop, size):
            yield pixels[first : first + size]
        # A copy, so that the memory of the window can be freed.
        rest = pixels[stop:].copy() if stop < len(pixels) else None


def of_epoch(
    windows: list[np.ndarray], size: int, first: int, last: int, ahead: Callable[[Iterator], Iterator], pixels
) -> Iterator[np.ndarray]:
    """Batches ``first``..``last - 1`` of an epoch; ``ahead`` reads the next window while one is used up."""
    wanted = chunks(windows, first * size, (last - first) * size)
    return batches(ahead(read(pixels, window) for window in wanted), size)
