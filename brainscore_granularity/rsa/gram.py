"""Gram matrices of features, accumulated block by block.

Every dissimilarity here is a function of inner products between images, and inner products add up over
features. So an exact RDM needs the features one block at a time: 1,000 images are a 1,000 x 1,000 matrix
however wide the layer is.

Precision
    float64 features are multiplied in float64. float32 features of at least ``PRECISE_BELOW`` images are
    multiplied in float32 and summed over blocks in float64, so that rounding does not grow with the width of
    the layer: correlation distances agree with float64 to about 1e-7. With fewer images they are multiplied in
    float64, which costs little: one swapped rank would change the score of a small RDM (by 5e-6 for 48 images).
    This module alone decides it, for arrays, features on disk and tensors on a GPU.

Speed
    numpy's ``x @ x.T`` is OpenBLAS's symmetric product on all cores. For wide float32 layers torch's oneDNN
    kernel is faster on processors with AVX-512, if each core multiplies its own blocks (no core waits for
    another, and centring runs in parallel too), stripe by stripe to use the symmetry. It is used from
    ``ONEDNN`` multiplications on, if torch is installed. Measured ratios: docs/performance.md.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from brainscore_granularity.threads import cores, in_threads

from . import feature_scaling

PRECISE_BELOW = 200  # images
BLOCK = 4096  # features in a block: 16 MB of float32 for 1,000 images, enough for BLAS to be fast
STRIPE = 250  # images in a stripe
ONEDNN = 2e10  # multiplications that repay importing torch
WORKERS = 8  # at most, since each holds a block and a matrix: 200 MB for 1,000 images


def in_float32(images: int, dtype) -> bool:
    """Whether features of this type are multiplied in float32.

    >>> in_float32(1000, np.float32), in_float32(1000, np.float64), in_float32(92, np.float32)
    (True, False, False)
    """
    return images >= PRECISE_BELOW and np.dtype(dtype) in (np.float32, np.float16)


class Gram:
    """Inner products between images, summed over feature blocks.

    Parameters
    ----------
    images : int
        Number of images n.
    centre : {"rows", "columns", None}
        ``"rows"`` subtracts each image's mean over all features (correlation). ``"columns"`` subtracts each
        feature's mean over images, which changes no difference between images and avoids the rounding errors
        of a large common mean (Euclidean). None subtracts nothing (cosine).
    scaling : {"none", "z-score"}
        Whether each feature is z-scored over the images first.

    Attributes
    ----------
    matrix : (n, n) float64
        ``X @ X.T`` of the centred features seen so far.
    broken : (n,) bool
        Images with NaN or infinite features.
    varies : (n,) bool
        Images with features that differ, by exact comparison.
    apart : bool
        Whether any two images differ, by exact comparison.
    width : int
        Number of features seen so far.

    Notes
    -----
    Rows are centred in one pass (Chan, Golub & LeVeque 1979): with Gram matrices C_b within blocks, block
    means m_b over f_b features and overall means m,

    .. math:: C = \\sum_b C_b + \\sum_b f_b (m_b - m)(m_b - m)^T.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(4, 10))
    >>> gram = Gram(4).add(x[:, :3]).add(x[:, 3:])
    >>> np.allclose(gram.matrix, np.cov(x) * 9)
    True
    """

    def __init__(self, images: int, centre: str | None = "rows", scaling: str = "none"):
        if centre not in ("rows", "columns", None):
            raise ValueError(f"centre: expected 'rows', 'columns' or None, got {centre!r}")
        self.centre, self.scaling, self.width, self.apart = centre, feature_scaling.check(scaling), 0, False
        self.within = np.zeros((images, images))
        self.broken, self.varies = np.zeros((2, images), bool)
        self.means: list[np.ndarray] = []  # of each block
        self.sizes: list[int] = []
        self._first: np.ndarray | None = None
        self._buffer = np.empty(0)

    @property
    def matrix(self) -> np.ndarray:
        if not self.means:
            return self.within
        means, sizes = np.array(self.means), np.array(self.sizes, float)
        with np.errstate(invalid="ignore"):
            means -= sizes @ means / self.width
            return self.within + (means.T * sizes) @ means

    def add(self, block, product=None) -> Gram:
        """Add features: block (n, f) of any float type; ``product(x, matrix)`` adds x @ x.T to matrix."""
        block = np.asarray(block)
        if block.ndim != 2 or len(block) != len(self.within):
            raise ValueError(f"block: expected ({len(self.within)}, features), got {block.shape}")
        for start in range(0, block.shape[1], BLOCK):
            with np.errstate(invalid="ignore", over="ignore"):
                self._add(block[:, start : start + BLOCK], product or _product)
        return self

    def _add(self, block: np.ndarray, product) -> None:
        n, f = block.shape
        dtype = np.dtype(np.float32 if in_float32(n, block.dtype) else np.float64)
        block = block if dtype == np.float32 else block.astype(np.float64, copy=False)
        if self.scaling == "z-score":
            self.broken |= ~np.isfinite(block.sum(axis=1))
            block = feature_scaling.z_scored(block)  # spreads one image's NaN to all
        if not self.varies.all():
            self.seen(block[:, 0], (block != block[:, :1]).any(axis=1))
        self.apart = self.apart or bool((block != block[:1]).any())
        # Fresh memory costs more than the subtraction, so one buffer serves all blocks; products need it contiguous.
        if self._buffer.dtype != dtype or self._buffer.size < n * f:
            self._buffer = np.empty(n * f, dtype)
        x = self._buffer[: n * f].reshape(n, f)
        mean = block.mean(axis=1) if self.centre == "rows" else block.sum(axis=1)
        if self.scaling == "none":
            self.broken |= ~np.isfinite(mean)
        if self.centre == "rows":
            mean = mean.astype(dtype)
            np.subtract(block, mean[:, None], out=x)
            self.means.append(mean.astype(np.float64))
            self.sizes.append(f)
        elif self.centre == "columns":
            np.subtract(block, block.mean(axis=0).astype(dtype), out=x)
        else:
            np.copyto(x, block)
        product(x, self.within)
        self.width += f

    def seen(self, first: np.ndarray, varies: np.ndarray) -> None:
        """Record one feature (n,) of every image, and which images vary within its block."""
        self._first = first.copy() if self._first is None else self._first
        self.varies |= varies | (first != self._first)

    def merge(self, other: Gram) -> Gram:
        """Add the features that another accumulator has seen."""
        if other._first is not None:
            self.seen(other._first, other.varies)
            self.broken |= other.broken
            self.apart |= other.apart
            self.within += other.within
            self.means += other.means
            self.sizes += other.sizes
            self.width += other.width
        return self


def _product(x: np.ndarray, matrix: np.ndarray) -> None:
    matrix += x @ x.T


def gram_of(
    blocks, images: int, width, centre: str | None = "rows", single: bool = False, scaling: str = "none"
) -> Gram:
    """Gram matrix of a layer that is read block by block.

    Parameters
    ----------
    blocks : callable
        ``blocks(start, stop)`` gives features start to stop, (n, stop - start); called from several threads.
    images : int
        Number of images n.
    width : int
        Number of features.
    centre, scaling
        As in :class:`Gram`.
    single : bool
        Whether the features are float32 or float16, so that oneDNN may multiply them.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(4, 10_000))
    >>> gram = gram_of(lambda start, stop: x[:, start:stop], 4, 10_000)
    >>> np.allclose(gram.matrix, np.cov(x) * 9_999)
    True
    """
    starts = range(0, width, BLOCK)
    fast = single and in_float32(images, np.float32) and float(images) ** 2 * width >= ONEDNN and onednn() is not None
    workers = min(cores(), len(starts), WORKERS)
    if fast:
        import torch

    def work(jobs) -> Gram:
        gram = Gram(images, centre, scaling)
        if fast:
            torch.set_num_threads(max(1, cores() // workers))
        for start in jobs:
            gram.add(blocks(start, min(start + BLOCK, width)), _lower if fast else _product)
        return gram

    if not fast:
        return work(starts)  # BLAS uses all cores by itself
    threads = torch.get_num_threads()
    try:
        first, *rest = in_threads(work, [starts[k::workers] for k in range(workers)], workers)
    finally:
        torch.set_num_threads(threads)
    for gram in rest:
        first.merge(gram)
    below = np.tril_indices(images, -1)
    first.within.T[below] = first.within[below]
    return first


def _lower(x: np.ndarray, matrix: np.ndarray) -> None:
    """Add x @ x.T to the lower triangle of ``matrix`` by oneDNN, stripe by stripe."""
    import torch

    linear, rows = onednn(), torch.from_numpy(x)
    for start in range(0, len(x), STRIPE):
        stop = min(start + STRIPE, len(x))
        matrix[start:stop, :stop] += linear(rows[start:stop], rows[:stop], None, "none", [], "").numpy()


@cache
def onednn():
    """torch's float32 matrix product by oneDNN, or None where torch, the kernel or AVX-512 is missing."""
    try:
        import torch

        linear, x = torch.ops.mkldnn._linear_pointwise, torch.ones(2, 3)
        works = torch.backends.mkldnn.is_available() and "AVX512" in torch.backends.cpu.get_cpu_capability()
        return linear if works and torch.equal(linear(x, x, None, "none", [], ""), x @ x.T) else None
    except (ImportError, AttributeError, RuntimeError):
        return None
