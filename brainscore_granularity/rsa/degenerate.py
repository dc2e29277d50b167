"""Errors for features that do not tell images apart, the same for RDMs and for odd-one-out choices."""

from __future__ import annotations

import numpy as np

ADVICE = "Find where they arise (a diverged network, a dead electrode), fix it, or leave these images out."


class DegenerateFeatures(ValueError):
    """Features that do not describe an image: none at all, NaN, infinity, all equal, or the same for all images."""


def refuse_empty(shape, layer: str | None = None, repeated: bool = False) -> None:
    """Raise unless features of this shape hold at least 2 images and 1 feature.

    repeated : (repeats, images, ...) and not (images, ...).
    """
    if len(shape) < 2 + repeated or shape[repeated] < 2 or 0 in shape:
        expected = "(repeats, images, ...)" if repeated else "(images, ...)"
        raise DegenerateFeatures(
            f"features: expected {expected} with at least 2 images and 1 feature, got {tuple(shape)}{_where(layer)}"
        )


def refuse_images(which: np.ndarray, what: str, images=None, layer: str | None = None, advice: str = ADVICE) -> None:
    """Raise if any image has features that cannot be used.

    Parameters
    ----------
    which : (n,) bool
    what : what is wrong, such as "constant features".
    images : sequence of their names, optional.
    layer : optional.
    advice : what to do.

    Examples
    --------
    >>> refuse_images(np.array([False, True]), "constant features", ["dog", "cat"], "fc6", "Leave it out.")
    Traceback (most recent call last):
        ...
    brainscore_granularity.rsa.degenerate.DegenerateFeatures: 1 of 2 images have constant features in layer 'fc6': image 1 (cat). Leave it out.
    """  # noqa: E501
    if not which.any():
        return
    names = [f"image {k}" if images is None else f"image {k} ({images[k]})" for k in np.flatnonzero(which)[:3]]
    more = ", ..." if which.sum() > 3 else "."
    raise DegenerateFeatures(
        f"{which.sum()} of {len(which)} images have {what}{_where(layer)}: {', '.join(names)}{more} {advice}"
    )


def refuse_alike(apart: bool, images: int, layer: str | None = None) -> None:
    """Raise if all images have the same features: what is left of their differences is rounding."""
    if not apart:
        raise DegenerateFeatures(
            f"all {images} images have the same features{_where(layer)}: their dissimilarities would be constant. "
            "Take another layer, or check that the images reach the model."
        )


def _where(layer: str | None) -> str:
    return "" if layer is None else f" in layer {layer!r}"
