"""Augmentation in batches, on the device of the pixels; all random numbers of an image come from one row.

All geometry is one affine map from output to stored pixels, so an image is interpolated once. Beyond its edge the
stored image is mirrored (``... b a | a b c ...``): photographs have no black or smeared corners, and a network could
tell the angle from them. A rotated crop shows the true pixels around the crop, as far as the stored image goes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch

from brainscore_granularity.networks import IMAGENET_MEAN, IMAGENET_STD

from . import colour as colours
from .randaugment import randaugment
from .warp import warp

COLUMNS = 9  # random numbers per image, used or not; RandAugment's two per operation follow
MORE_COLUMNS = 5  # drawn after those if hue, grey, blur or colour_share is set
SIGMAS = 0.1, 2.0  # smallest and largest standard deviation of the blur, in pixels


@dataclass(frozen=True)
class Augmentation:
    """How a training image is augmented.

    Order: crop, flip, rotation, RandAugment, colour, hue, grey, blur, normalisation.

    Settings do not change each other's random numbers: with and without rotation, the same images are flipped.
    """

    crop_padding: int = 0
    """Shift by up to this many pixels in each direction: torchvision's RandomCrop with symmetric padding."""
    random_resized_crop: tuple[float, float] | None = None
    """Smallest and largest share of the area to crop, at an aspect of 3/4 to 4/3; the crop is resized to full size."""
    flip: bool = True
    """Mirror every second image left to right."""
    rotation: float = 0.0
    """Largest angle in degrees, either way."""
    colour: float = 0.0
    """Brightness, contrast and saturation, each scaled by 1 - colour to 1 + colour, in this order."""
    hue: float = 0.0
    """Largest hue shift, as a share of the colour circle, in either direction."""
    colour_share: float = 1.0
    """Share of the images whose colour and hue are changed."""
    grey: float = 0.0
    """Share of the images that lose their colour."""
    blur: float = 0.0
    """Share of the images that are blurred, by a Gaussian of 0.1 to 2 pixels."""
    size: int | None = None
    """Side of a random resized crop in the output; by default that of the stored image."""
    randaugment: int = 0
    """Operations per image, drawn from RandAugment's 14 at magnitude 9 of 30."""

    def __post_init__(self):
        if not isinstance(self.flip, bool):
            raise ValueError(f"flip must be True (every second image) or False, got {self.flip!r}")
        if self.crop_padding < 0 or self.rotation < 0 or self.randaugment < 0 or not 0 <= self.colour <= 1:
            raise ValueError(f"crop_padding, rotation and randaugment must not be negative, colour in 0..1, got {self}")
        if not (0 <= self.hue <= 0.5 and all(0 <= v <= 1 for v in (self.colour_share, self.grey, self.blur))):
            raise ValueError(f"hue must lie in 0..0.5, colour_share, grey and blur in 0..1, got {self}")
        if self.colour_share < 1 and not (self.colour or self.hue):
            raise ValueError("colour_share would not be used: there is neither colour nor hue")
        if self.size is not None and self.random_resized_crop is None:
            raise ValueError(f"size = {self.size} would not be used: there is no random_resized_crop")
        if self.random_resized_crop is not None:
            low, high = self.random_resized_crop
            if not 0 < low <= high <= 1:
                raise ValueError(f"random_resized_crop must be (low, high) with 0 < low <= high <= 1, got {low, high}")
            if self.crop_padding:
                raise ValueError("use crop_padding or random_resized_crop, not both")

    def __call__(
        self, pixels: torch.Tensor, generator: torch.Generator, part: tuple[int, int] = (0, 1)
    ) -> torch.Tensor:
        """Augment (b, h, w, 3) uint8 -> (b, 3, h, w) float32 with ImageNet statistics, channels last in memory.

        part : (index, number) of equal parts of a batch. Random numbers are drawn for the whole batch, so that the
            result does not depend on the number of parts.

        Numbers are drawn on the generator's device and sent to that of the pixels. Use a CPU generator: then nothing
        waits for the GPU, and a run draws the same numbers on every device.
        """
        if pixels.dtype != torch.uint8 or pixels.ndim != 4 or pixels.shape[-1] != 3:
            raise ValueError(f"expected uint8 pixels (b, h, w, 3), got {pixels.dtype} {tuple(pixels.shape)}")
        return self.apply(pixels, self.draw(*pixels.shape[:3], generator, pixels.device, part))

    def draw(
        self,
        n: int,
        height: int,
        width: int,
        generator: torch.Generator,
        device: torch.device | str | None = None,
        part: tuple[int, int] = (0, 1),
    ) -> dict[str, torch.Tensor]:
        """Parameters of ``n`` images: flip, angle and colour factors (n,); box (n, 4): top, left, height, width.

        With hue, grey, blur or colour_share also hue, grey, sigma (n,) and blurred, the numbers of some images, else
        None. ``operations`` (n, randaugment, 2) and ``blurred`` stay on the generator's device, all else goes to
        ``device``.
        """
        columns = COLUMNS + 2 * self.randaugment
        rows = own_rows(torch.rand(n * part[1], columns, generator=generator, device=generator.device), part)
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
            # If the box is too wide or too tall, torchvision draws again; here it is cut to fit.
            h = (area / aspect).sqrt().round().clamp(1, height)
            w = (area * aspect).sqrt().round().clamp(1, width)
            top, left = ((height - h + 1) * u[2]).floor(), ((width - w + 1) * u[3]).floor()
        factors = [1 + (2 * v - 1) * self.colour for v in u[6:9]]
        hue, to_grey, sigma, blurred = (None,) * 4
        if self.hue or self.grey or self.blur or self.colour_share < 1:
            more = torch.rand(n * part[1], MORE_COLUMNS, generator=generator, device=generator.device)
            more = own_rows(more, part)
            blurred = (more[:, 4] < self.blur).nonzero()[:, 0]
            v = more.to(device or generator.device, non_blocking=True).unbind(1)
            changed = v[1] < self.colour_share
            factors = [torch.where(changed, factor, 1.0) for factor in factors]
            hue = torch.where(changed, (2 * v[0] - 1) * self.hue, 0.0)
            to_grey, sigma = v[2] < self.grey, SIGMAS[0] + (SIGMAS[1] - SIGMAS[0]) * v[3]
        brightness, contrast, saturation = factors
        return {
            "flip": (u[0] < 0.5) & self.flip,
            "angle": (2 * u[1] - 1) * self.rotation,
            "box": torch.stack([top, left, h, w], 1),
            "brightness": brightness,
            "contrast": contrast,
            "saturation": saturation,
            "hue": hue,
            "grey": to_grey,
            "sigma": sigma,
            "blurred": blurred,
            "operations": operations,
        }

    def apply(self, pixels: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        """Augment with the parameters that ``draw`` returned; deterministic."""
        if self.rotation or self.random_resized_crop:
            shape = (self.size, self.size) if self.size else pixels.shape[1:3]
            matrix = _matrix(draws["box"], draws["flip"], draws["angle"], pixels.shape[1:3], shape)
            images = warp(pixels.permute(0, 3, 1, 2).contiguous().float(), matrix, shape)
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
        if not (self.colour or self.hue or self.grey or self.blur):
            return _normalise(images)
        unit = images.float().div(255)
        if self.colour:
            unit = colours.jitter(unit, draws["brightness"], draws["contrast"], draws["saturation"])
        if self.hue:
            unit = colours.shift_hue(unit, draws["hue"])
        if self.grey:
            unit = torch.where(draws["grey"].view(-1, 1, 1, 1), colours.grey(unit), unit)
        if self.blur:
            where = draws["blurred"].to(unit.device, non_blocking=True)
            unit = unit.index_copy(0, where, colours.blur(unit[where], draws["sigma"][where]))
        return _normalise(255 * unit)

    @staticmethod
    def none(pixels: torch.Tensor) -> torch.Tensor:
        """Only normalised: (b, h, w, 3) uint8 -> (b, 3, h, w) float32, for evaluation."""
        return _normalise(pixels.permute(0, 3, 1, 2))


def own_rows(rows: torch.Tensor, part: tuple[int, int]) -> torch.Tensor:
    """The rows of one part of a batch; ``part`` is (index, number of equal parts)."""
    return rows.chunk(part[1])[part[0]]


def _matrix(box: torch.Tensor, flip: torch.Tensor, angle: torch.Tensor, stored, shape) -> torch.Tensor:
    """Map (b, 2, 3) from output to stored pixels, from the centre: undo the rotation, the flip, then the crop."""
    top, left, h, w = box.unbind(1)
    height, width = stored
    x_scale, y_scale = torch.where(flip, -1.0, 1.0) * w / shape[1], h / shape[0]
    cos, sin = torch.cos(torch.deg2rad(angle)), torch.sin(torch.deg2rad(angle))
    x = torch.stack([x_scale * cos, -x_scale * sin, left + (w - width) / 2], 1)
    y = torch.stack([y_scale * sin, y_scale * cos, top + (h - height) / 2], 1)
    return torch.stack([x, y], 1)


def _shift(pixels: torch.Tensor, box: torch.Tensor) -> torch.Tensor:
    """Crops of the mirrored image at whole pixels, by indexing: uint8 in, uint8 out, no interpolation."""
    n, height, width, channels = pixels.shape
    rows, columns = (
        _mirrored(torch.arange(size, device=pixels.device) + box[:, i, None].long(), size)
        for i, size in enumerate((height, width))
    )
    images = torch.arange(n, device=pixels.device)[:, None, None]
    where = (images * height + rows[:, :, None]) * width + columns[:, None, :]
    return pixels.reshape(-1, channels).index_select(0, where.flatten()).view(pixels.shape)


def _mirrored(index: torch.Tensor, size: int) -> torch.Tensor:
    """Mirror indices at the edges: -1 becomes 0, -2 becomes 1, ``size`` becomes ``size - 1``, and so on."""
    index = index.remainder(2 * size)
    return torch.minimum(index, 2 * size - 1 - index)


def _normalise(images: torch.Tensor) -> torch.Tensor:
    """Normalise (b, 3, h, w), 0..255, with ImageNet statistics: float32, channels last in memory."""
    mean, std = _statistics(images.device)
    images = images.to(torch.float32, memory_format=torch.channels_last, copy=True)
    return images.div_(255).sub_(mean).div_(std)


@lru_cache(maxsize=16)
def _statistics(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """ImageNet's mean and standard deviation, sent to a device once."""
    mean, std = (torch.tensor(v, device=device).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    return mean, std
