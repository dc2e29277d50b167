"""Batch norm's running statistics taken from images, with every weight left as it is.

An untrained network keeps the statistics 0 and 1 it was made with, so that its units saturate or die for a reason
that has nothing to do with learning. This is the same network after it has seen images.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from .feed import normalise

IMAGES = 2048
BATCH = 256


@torch.no_grad()
def fit_statistics(network: nn.Module, pixels: np.ndarray, images: int = IMAGES) -> nn.Module:
    """Set the running mean and variance of every batch norm to the average over batches; returns the network.

    Parameters
    ----------
    network : changed in place and left in evaluation mode. Dropout stays off.
    pixels : (n, size, size, 3) uint8; ``images`` of them are taken, evenly spread over n.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    if len(pixels) < 2:
        raise ValueError(f"statistics need at least 2 images, got {len(pixels)}")
    some = np.unique(np.linspace(0, len(pixels) - 1, min(images, len(pixels))).astype(int))
    # Classes stand one after the other in a pack: dealt like cards, every batch holds images from all over it.
    batches = max(1, round(len(some) / BATCH))
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain average over batches
        norm.train()
    try:
        for first in range(batches):
            network(normalise(torch.from_numpy(np.array(pixels[some[first::batches]]))))
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        network.eval()
    return network
