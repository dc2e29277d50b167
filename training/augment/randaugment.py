"""RandAugment (Cubuk et al. 2020, arXiv 1909.13719) for batches: images that drew the same operation share one call.

The operations and their strengths are torchvision's at magnitude 9 of 30, except that geometry mirrors the image at
its edges instead of filling with black.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch

from .warp import warp

MAGNITUDE = 9 / 30
GEOMETRY = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate")
SIGNED = (*GEOMETRY, "Brightness", "Color", "Contrast", "Sharpness")
OPERATIONS = ("Identity", *SIGNED, "Posterize", "Solarize", "AutoContrast", "Equalize")


def randaugment(images: torch.Tensor, choice: torch.Tensor) -> torch.Tensor:
    """One operation per image.

    Parameters
    ----------
    images : (b, 3, h, w) uint8, on any device; not changed in place.
    choice : (b, 2) uniform numbers in 0..1, for the operation and its sign. They are read on the host: keep them
        there, so that nothing waits for the device.
    """
    out = images.contiguous().clone()
    groups: dict[tuple[str, int], list[int]] = {}
    moved, matrices = [], []
    for i, (operation, sign) in enumerate(choice.tolist()):
        name = OPERATIONS[int(operation * len(OPERATIONS))]
        sign = -1 if name in SIGNED and sign < 0.5 else 1
        if name in GEOMETRY:
            moved.append(i)
            matrices.append(_matrix(name, sign, *images.shape[-2:]))
        elif name != "Identity":
            groups.setdefault((name, sign), []).append(i)
    if moved:
        where = torch.tensor(moved).to(images.device, non_blocking=True)
        out[where] = _move(out[where], torch.stack(matrices))
    for (name, sign), members in groups.items():
        where = torch.tensor(members).to(images.device, non_blocking=True)
        out[where] = operate(out[where], name, sign)
    return out


def operate(images: torch.Tensor, name: str, sign: int) -> torch.Tensor:
    """One named operation on a batch of uint8 images."""
    from torchvision.transforms.v2 import functional as tv

    if name in GEOMETRY:
        return _move(images, _matrix(name, sign, *images.shape[-2:]).expand(len(images), 2, 3))
    factor = 1 + sign * 0.9 * MAGNITUDE
    return {
        "Identity": lambda: images,
        "Brightness": lambda: tv.adjust_brightness(images, factor),
        "Color": lambda: tv.adjust_saturation(images, factor),
        "Contrast": lambda: tv.adjust_contrast(images, factor),
        "Sharpness": lambda: tv.adjust_sharpness(images, factor),
        "Posterize": lambda: tv.posterize(images, 8 - round(4 * MAGNITUDE)),
        "Solarize": lambda: tv.solarize(images, 255 * (1 - MAGNITUDE)),
        "AutoContrast": lambda: tv.autocontrast(images),
        "Equalize": lambda: tv.equalize(images),
    }[name]()


def _move(images: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    return warp(images.float(), matrices.to(images.device, non_blocking=True)).round_().to(torch.uint8)


@lru_cache(maxsize=64)
def _matrix(name: str, sign: int, height: int, width: int) -> torch.Tensor:
    """Map (2, 3) from output to input pixels, measured from the centre; shears keep the top left corner."""
    shear, angle = sign * 0.3 * MAGNITUDE, math.radians(sign * 30 * MAGNITUDE)
    right, down = (int(sign * 150 / 331 * MAGNITUDE * side) for side in (width, height))
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor(
        {
            "ShearX": [[1, shear, shear * height / 2], [0, 1, 0]],
            "ShearY": [[1, 0, 0], [shear, 1, shear * width / 2]],
            "TranslateX": [[1, 0, -right], [0, 1, 0]],
            "TranslateY": [[1, 0, 0], [0, 1, -down]],
            "Rotate": [[cos, -sin, 0], [sin, cos, 0]],
        }[name],
        dtype=torch.float32,
    )
