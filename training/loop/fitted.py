"""Batch norm's running statistics measured on images; the weights are not changed.

An untrained network keeps its initial statistics, mean 0 and variance 1, so that units saturate or die for a reason
that has nothing to do with learning. A fitted network has the same weights, with statistics measured on images.
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
    network : changed in place and left in evaluation mode. Dropout is off.
    pixels : (n, size, size, 3) uint8; ``images`` of them are used, evenly spread over n.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    if len(pixels) < 2:
        raise ValueError(f"statistics need at least 2 images, got {len(pixels)}")
    some = np.unique(np.linspace(0, len(pixels) - 1, min(images, len(pixels))).astype(int))
    # A pack is sorted by class: with this stride every batch holds images of all classes.
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
