"""RDMs of a layer of a network without branches, for images of other sizes than in training.

Convolutions take images of any size. If a hidden layer needs maps of a fixed size, larger maps are averaged down to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from brainscore_granularity.rsa.components import correlation_distance

SIZES = (32, 64, 96, 128, 160, 224)  # pixels per side, as in the published study
BATCH = 32
AT_ONCE = 1 << 19  # features of an image in memory at once


def rdm(network: nn.Module, layer: str, paths: list[Path], size: int) -> np.ndarray:
    """RDM (n, n), 1 - correlation, of a layer for images that are ``size`` pixels wide.

    network : a sequence of layers, as in `networks.Network`, in evaluation mode.
    """
    below = torch.cat(
        [_below(network, layer, _images(paths[i : i + BATCH], size)) for i in range(0, len(paths), BATCH)]
    )
    inner, sums, width = np.zeros((len(paths), len(paths))), np.zeros(len(paths)), 0
    with torch.inference_mode():
        for part in _parts(network.get_submodule(layer), below):
            features = part.flatten(1)
            inner += (features @ features.T).double().numpy()
            sums += features.sum(dim=1, dtype=torch.float64).numpy()
            width += features.shape[1]
    return correlation_distance(inner, sums, width, f"{layer} at {size} px")


def _images(paths: list[Path], size: int) -> torch.Tensor:
    """Images preprocessed as for the models, but at another size."""
    from brainscore_vision.model_helpers.activations.pytorch import load_preprocess_images

    return torch.from_numpy(np.asarray(load_preprocess_images([str(path) for path in paths], image_size=size)))


@torch.inference_mode()
def _below(network: nn.Module, layer: str, inputs: torch.Tensor) -> torch.Tensor:
    """The input of the layer."""
    own = torch.zeros(1, 3, network.image_size, network.image_size)
    for name, module in network.named_children():
        if name == layer:
            return inputs
        if isinstance(module, nn.Flatten):
            inputs = nn.functional.adaptive_avg_pool2d(inputs, own.shape[2:])
        inputs, own = module(inputs), module(own)
    raise ValueError(f"the network has no layer {layer!r}; it has {', '.join(n for n, _ in network.named_children())}")


def _parts(module: nn.Module, below: torch.Tensor) -> Iterator[torch.Tensor]:
    """The output of the layer, for convolutions in groups of channels: at 224 pixels all may not fit in memory."""
    if not isinstance(module, nn.Conv2d) or module.groups != 1:
        yield module(below)
        return
    area = below.shape[2] * below.shape[3] // (module.stride[0] * module.stride[1])
    many = max(1, AT_ONCE // area)
    for first in range(0, module.out_channels, many):
        weight = module.weight[first : first + many]
        bias = None if module.bias is None else module.bias[first : first + many]
        yield nn.functional.conv2d(below, weight, bias, module.stride, module.padding, module.dilation)
