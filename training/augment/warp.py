"""Affine maps of image batches, mirrored at the edges."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch.nn import functional as F


def warp(images: torch.Tensor, matrix: torch.Tensor, shape: tuple[int, int] | None = None) -> torch.Tensor:
    """Bilinear sampling of (b, c, h, w) float images at ``matrix @ (x, y, 1)`` for every output pixel (x, y).

    matrix : (b, 2, 3), in pixels from the centre of the image, y down.
    shape : height and width of the output; by default those of the images.

    Beyond its edge an image continues as its mirror image, with the outermost pixel repeated (numpy's ``symmetric``):
    the edge of the outermost pixel is the axis, so that a whole-pixel shift is exact and equals symmetric padding.
    """
    x, y, half = _pixels(*images.shape[-2:], images.device)
    if shape is not None:
        x, y, _ = _pixels(*shape, images.device)
    matrix = (matrix / half)[:, None, None]  # grid_sample measures in half widths and half heights
    # The values of affine_grid, computed in a third of its time.
    rows = matrix[..., 1] * y + matrix[..., 2]
    grid = matrix[..., 0] * x + rows
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


@lru_cache(maxsize=16)
def _pixels(height: int, width: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Centres of columns (1, w, 1) and of rows (h, 1, 1) from the middle, and half the sides (2, 1)."""
    x = torch.arange(width, device=device) + (0.5 - width / 2)
    y = torch.arange(height, device=device) + (0.5 - height / 2)
    return x.view(1, width, 1), y.view(height, 1, 1), torch.tensor([[width / 2], [height / 2]], device=device)
