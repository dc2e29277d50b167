"""Check RDMs before they are used: shapes, NaN, constants."""

from __future__ import annotations

import numpy as np


def stack(rdms, name: str, images: int | None = None) -> np.ndarray:
    """RDMs as (k, n, n) float64: one RDM becomes a stack of one.

    >>> stack([[0, 1, 2], [1, 0, 3], [2, 3, 0]], "a").shape
    (1, 3, 3)
    """
    x = np.asarray(rdms, dtype=np.float64)
    if x.ndim == 2:
        x = x[None]
    if x.ndim != 3 or x.shape[1] != x.shape[2] or x.shape[1] < 3 or len(x) == 0:
        raise ValueError(
            f"{name}: expected one RDM (n, n) or a stack (k, n, n) of at least 3 images, got {np.shape(rdms)}"
        )
    if images is not None and x.shape[1] != images:
        raise ValueError(
            f"{name}: expected RDMs of {images} images, got {x.shape[1]}; both sides must hold the same images in the"
            " same order"
        )
    i, j = np.triu_indices(x.shape[1], 1)
    for k, r in enumerate(x):
        entries = r[i, j]
        if not np.isfinite(entries).all():
            raise ValueError(
                f"{name}: RDM {k} has {np.count_nonzero(~np.isfinite(entries))} NaN or infinite entries; leave those"
                " images out, or fix the features (rsa.rdm names the images)"
            )
        if entries.min() == entries.max():
            raise ValueError(f"{name}: RDM {k} is constant ({entries[0]:g} throughout): no correlation is defined")
    return x
