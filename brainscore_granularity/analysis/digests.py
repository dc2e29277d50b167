"""Digests of a layer's features that are kept on disk, so that all analyses share one forward pass.

Features themselves are too large to keep: a small network has 0.6 MB of them for each image. Their inner products and
their spatial maxima are enough for principal components, RDMs, reconstructions, regressions and probes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from brainscore_granularity.rsa.degenerate import DegenerateFeatures
from brainscore_granularity.rsa.gram import gram_of

BLOCK = 4096  # features at a time
UNITS = 500  # units drawn from a layer for measures of single units


def gram(spool, labels, name: str) -> dict[str, np.ndarray]:
    """Inner products between images; see `components.Products`."""
    beside = {}  # other sums, per block, so that every feature is read once

    def read(start, stop):
        block = spool.read(start, stop)
        mean = block.mean(axis=0, dtype=np.float64)
        onto_mean = (block - mean.astype(np.float32)) @ mean.astype(np.float32)
        beside[start] = onto_mean, block.sum(axis=1, dtype=np.float64), mean @ mean
        return block

    centred = gram_of(read, spool.images, spool.width, "columns", single=True)
    if centred.broken.any():
        raise DegenerateFeatures(f"{centred.broken.sum()} of {spool.images} images have NaN or infinity in {name}")
    onto_mean, sums, squares = zip(*(beside[start] for start in sorted(beside)), strict=True)
    return {
        "gram": centred.matrix.astype(np.float32),
        "onto_mean": np.sum(onto_mean, axis=0, dtype=np.float64),
        "sums": np.sum(sums, axis=0),
        "mean_square": np.array(sum(squares)),
        "width": np.array(spool.width),
    }


def pooled(spool, labels, name: str) -> dict[str, np.ndarray]:
    """Spatial maximum of every channel, (n, channels) float32; for a layer of tokens, the maximum over tokens."""
    shape = spool.shape
    if len(shape) == 3:  # channels, height, width
        area = shape[1] * shape[2]
        many = max(1, BLOCK // area)
        parts = [
            spool.read(first * area, min(first + many, shape[0]) * area).reshape(spool.images, -1, area).max(axis=2)
            for first in range(0, shape[0], many)
        ]
        return {"pooled": np.concatenate(parts, axis=1)}
    features = spool.read(0, spool.width).reshape(spool.images, *shape)
    return {"pooled": features.max(axis=1) if len(shape) == 2 else features}


def units(spool, labels, name: str) -> dict[str, np.ndarray]:
    """Single units drawn at random, (n, at most UNITS) float32; the same ones in layers of equal width."""
    width = spool.width
    chosen = np.sort(np.random.default_rng(0).choice(width, min(UNITS, width), replace=False))
    parts = [block[:, chosen[(chosen >= start) & (chosen < start + BLOCK)] - start]
             for start, block in zip(range(0, width, BLOCK), blocks(spool), strict=True)]  # fmt: skip
    return {"units": np.concatenate(parts, axis=1)}


def blocks(spool):
    """Blocks of features of all images: (n, at most BLOCK) float32."""
    for start in range(0, spool.width, BLOCK):
        yield spool.read(start, min(start + BLOCK, spool.width))


# name -> function of (spool, labels of the images or None, name for messages) -> arrays
DIGESTS: dict[str, Callable] = {"gram": gram, "pooled": pooled, "units": units}
