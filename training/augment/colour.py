"""Colours and sharpness of image batches, with a strength for every image: torchvision's operations, values in 0..1."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def jitter(images: torch.Tensor, brightness: torch.Tensor, contrast: torch.Tensor, saturation: torch.Tensor):
    """adjust_brightness, adjust_contrast, adjust_saturation of (b, 3, h, w), with factors (b,)."""
    brightness, contrast, saturation = (f.view(-1, 1, 1, 1) for f in (brightness, contrast, saturation))
    images = (images * brightness).clamp_(0, 1)
    images = torch.lerp(grey(images).mean((1, 2, 3), keepdim=True), images, contrast).clamp_(0, 1)
    return torch.lerp(grey(images), images, saturation).clamp_(0, 1)


def grey(images: torch.Tensor) -> torch.Tensor:
    """ITU-R 601 luma, (b, 1, h, w)."""
    red, green, blue = images.unbind(1)
    return (0.2989 * red + 0.587 * green + 0.114 * blue).unsqueeze(1)


def shift_hue(images: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """torchvision's adjust_hue of (b, 3, h, w) by (b,) turns of the colour circle.

    With V the largest channel, C the distance to the smallest, H the hue in 0..6: channel n of red 5, green 3,
    blue 1 is V - C max(0, min(k, 4 - k, 1)), k = (n + H) mod 6.
    """
    red, green, blue = images.unbind(1)
    highest, chroma = images.amax(1), images.amax(1) - images.amin(1)
    safe = torch.where(chroma == 0, 1.0, chroma)
    hue = torch.where(
        highest == red,
        (green - blue) / safe,
        torch.where(highest == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    hue = hue + 6 * shift.view(-1, 1, 1)
    parts = []
    for n in (5, 3, 1):
        k = (n + hue).remainder(6)
        parts.append(highest - chroma * torch.minimum(k, 4 - k).clamp(0, 1))
    return torch.stack(parts, 1)


def blur(images: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """gaussian_blur of (b, c, h, w) with a standard deviation (b,) in pixels and a kernel of a tenth of the side."""
    b, channels, height, width = images.shape
    reach = kernel_size(min(height, width)) // 2
    x = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    weights = torch.exp(-0.5 * (x / sigma.view(-1, 1)) ** 2)
    weights = (weights / weights.sum(1, keepdim=True)).repeat_interleave(channels, 0)[:, None]
    flat = F.pad(images, (reach, reach, reach, reach), mode="reflect").flatten(0, 1)[None]
    for kernel in (weights[..., None, :], weights[..., None]):  # along rows, then along columns
        flat = F.conv2d(flat, kernel, groups=b * channels)
    return flat.view(b, channels, height, width)


def kernel_size(side: int) -> int:
    """Odd, about a tenth of the side, as in SimCLR: 23 for 224 pixels."""
    return max(3, side // 10 | 1)
