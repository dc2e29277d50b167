"""Augmentation in batches, on the device where the pixels are; every random number from one row an image.

Geometry is one affine map from output to stored pixels, so an image is interpolated once. What the map asks for
beyond the edge of the stored image is mirrored there (``... b a | a b c ...``): black or smeared wedges in the
corners would be a feature that no photograph has and that gives the angle away. A crop that is then rotated shows
the true pixels around the crop for as far as the stored image goes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch

from brainscore_granularity.networks import IMAGENET_MEAN, IMAGENET_STD

from .randaugment import randaugment
from .warp import warp

COLUMNS = 9  # uniform numbers an image, before RandAugment's two an operation; drawn whether used or not


@dataclass(frozen=True)
class Augmentation:
    """What is done to a training image. Order: crop, flip, rotation, RandAugment, colour, normalisation.

    One setting does not change the random numbers of another: with and without rotation, the same images flip.
    """

    crop_padding: int = 0
    """Shift by up to this many pixels each way: torchvision's RandomCrop with symmetric padding."""
    random_resized_crop: tuple[float, float] | None = None
    """Share of the area that is cut out, from and to, at an aspect of 3/4 to 4/3, and resized to the whole."""
    flip: bool = True
    """Mirror left and right, every second image."""
    rotation: float = 0.0
    """Largest angle in degrees, either way."""
    colour: float = 0.0
    """Brightness, contrast and saturation, each scaled by 1 - colour to 1 + colour, in this order."""
    randaugment: int = 0
    """Operations an image, drawn from RandAugment's 14 at magnitude 9 of 30."""

    def __post_init__(self):
        if not isinstance(self.flip, bool):
            raise ValueError(f"flip must be True (every second image) or False, got {self.flip!r}")
        if self.crop_padding < 0 or self.rotation < 0 or self.randaugment < 0 or not 0 <= self.colour <= 1:
            raise ValueError(f"crop_padding, rotation and randaugment must not be negative, colour in 0..1, got {self}")
        if self.random_resized_crop is not None:
            low, high = self.random_resized_crop
            if not 0 < low <= high <= 1:
                raise ValueError(f"random_resized_crop must be (low, high) with 0 < low <= high <= 1, got {low, high}")
            if self.crop_padding:
                raise ValueError("use crop_padding or random_resized_crop, not both")

    def __call__(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """(b, h, w, 3) uint8 -> (b, 3, h, w) float32, ImageNet statistics, channels last in memory.

        Numbers are drawn where the generator lives and sent to the pixels. Give a CPU generator: nothing waits for
        the GPU, and a run draws the same numbers on every device.
        """
        if pixels.dtype != torch.uint8 or pixels.ndim != 4 or pixels.shape[-1] != 3:
            raise ValueError(f"expected uint8 pixels (b, h, w, 3), got {pixels.dtype} {tuple(pixels.shape)}")
        return self.apply(pixels, self.draw(*pixels.shape[:3], generator, pixels.device))

    def draw(
        self, n: int, height: int, width: int, generator: torch.Generator, device: torch.device | str | None = None
    ) -> dict[str, torch.Tensor]:
        """Parameters of ``n`` images: flip, angle and colour factors (n,); box (n, 4): top, left, height, width.

        ``operations`` (n, randaugment, 2) stay where the generator lives, all else goes to ``device``.
        """
        rows = torch.rand(n, COLUMNS + 2 * self.randaugment, generator=generator, device=generator.device)
        operations = rows[:, COLUMNS:].unflatten(1, (self.randaugment, 2)) if self.randaugment else None
        u = rows[:, :COLUMNS].to(device or generator.device, non_blocking=True).unbind(1)
        if self.random_resized_crop is None:
            p = self.crop_padding
            top, left = (((2 * p + 1) * v - p).floor() for v in u[2:4])
            h, w = torch.full_like(top, height), torch.full_like(top, width)
        else:
            low, high = self.random_resized_crop
            area = height * width * (low + (high - low) * u[4])
            aspect = torch.exp((2 * u[5] - 1) * math.log(4 / 3))
            # Where torchvision draws again because the box is too wide or too tall, it is cut to fit here.
            h = (area / aspect).sqrt().round().clamp(1, height)
            w = (area * aspect).sqrt().round().clamp(1, width)
            top, left = ((height - h + 1) * u[2]).floor(), ((width - w + 1) * u[3]).floor()
        brightness, contrast, saturation = (1 + (2 * v - 1) * self.colour for v in u[6:9])
        return {
            "flip": (u[0] < 0.5) & self.flip,
            "angle": (2 * u[1] - 1) * self.rotation,
            "box": torch.stack([top, left, h, w], 1),
            "brightness": brightness,
            "contrast": contrast,
            "saturation": saturation,
            "operations": operations,
        }

    def apply(self, pixels: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        """Augment with given parameters, from ``draw``; the only randomness is theirs."""
        if self.rotation or self.random_resized_crop:
            matrix = _matrix(draws["box"], draws["flip"], draws["angle"], *pixels.shape[1:3])
            images = warp(pixels.permute(0, 3, 1, 2).contiguous().float(), matrix)
        else:
            if self.crop_padding:
                pixels = _shift(pixels, draws["box"])
            if self.flip:
                pixels = torch.where(draws["flip"].view(-1, 1, 1, 1), pixels.flip(2), pixels)
            images = pixels.permute(0, 3, 1, 2)
        if self.randaugment:
            images = images.round().to(torch.uint8) if images.is_floating_point() else images
            for choice in draws["operations"].unbind(1):
                images = randaugment(images, choice)
        if not self.colour:
            return _normalise(images)
        unit = images.float().div(255)
        return _normalise(255 * _colour(unit, draws["brightness"], draws["contrast"], draws["saturation"]))

    @staticmethod
    def none(pixels: torch.Tensor) -> torch.Tensor:
        """Only normalised: (b, h, w, 3) uint8 -> (b, 3, h, w) float32, for evaluation."""
        return _normalise(pixels.permute(0, 3, 1, 2))


def _matrix(box: torch.Tensor, flip: torch.Tensor, angle: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """(b, 2, 3) map from output to stored pixels, from the centre: undo the rotation, the flip, then the crop."""
    top, left, h, w = box.unbind(1)
    x_scale, y_scale = torch.where(flip, -1.0, 1.0) * w / width, h / height
    cos, sin = torch.cos(torch.deg2rad(angle)), torch.sin(torch.deg2rad(angle))
    x = torch.stack([x_scale * cos, -x_scale * sin, left + (w - width) / 2], 1)
    y = torch.stack([y_scale * sin, y_scale * cos, top + (h - height) / 2], 1)
    return torch.stack([x, y], 1)


def _shift(pixels: torch.Tensor, box: torch.Tensor) -> torch.Tensor:
    """Whole-pixel crops of the mirrored-out image, as a lookup: bytes in, bytes out, nothing interpolated."""
    n, height, width, channels = pixels.shape
    rows, columns = (
        _mirrored(torch.arange(size, device=pixels.device) + box[:, i, None].long(), size)
        for i, size in enumerate((height, width))
    )
    images = torch.arange(n, device=pixels.device)[:, None, None]
    where = (images * height + rows[:, :, None]) * width + columns[:, None, :]
    return pixels.reshape(-1, channels).index_select(0, where.flatten()).view(pixels.shape)


def _mirrored(index: torch.Tensor, size: int) -> torch.Tensor:
    """Where index -1 is 0, -2 is 1, ``size`` is ``size - 1``, and so on."""
    index = index.remainder(2 * size)
    return torch.minimum(index, 2 * size - 1 - index)


def _colour(images: torch.Tensor, brightness: torch.Tensor, contrast: torch.Tensor, saturation: torch.Tensor):
    """torchvision's adjust_brightness, adjust_contrast, adjust_saturation, with a factor an image; values in 0..1."""
    brightness, contrast, saturation = (f.view(-1, 1, 1, 1) for f in (brightness, contrast, saturation))
    images = (images * brightness).clamp_(0, 1)
    images = torch.lerp(_grey(images).mean((1, 2, 3), keepdim=True), images, contrast).clamp_(0, 1)
    return torch.lerp(_grey(images), images, saturation).clamp_(0, 1)


def _grey(images: torch.Tensor) -> torch.Tensor:
    """ITU-R 601 luma, (b, 1, h, w)."""
    red, green, blue = images.unbind(1)
    return (0.2989 * red + 0.587 * green + 0.114 * blue).unsqueeze(1)


def _normalise(images: torch.Tensor) -> torch.Tensor:
    """(b, 3, h, w), 0..255 -> float32 with ImageNet statistics, channels last in memory."""
    mean, std = _statistics(images.device)
    images = images.to(torch.float32, memory_format=torch.channels_last, copy=True)
    return images.div_(255).sub_(mean).div_(std)


@lru_cache(maxsize=16)
def _statistics(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """ImageNet's mean and standard deviation, sent to a device once."""
    mean, std = (torch.tensor(v, device=device).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    return mean, std
