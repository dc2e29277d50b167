"""ResNets in torchvision's layout, and ResNet-18 with other widths and depths for scaling studies."""

from __future__ import annotations

import re

from torch import nn

from .base import Branched

PIXELS = r"(?:_(\d+)px)?"
WIDTH = r"resnet18_w(\d+(?:\.\d+)?)" + PIXELS
DEPTH = r"resnet18_d(\d{4})" + PIXELS
STAGES = (64, 128, 256, 512)  # channels of the four stages at width 1


def resnet(name: str, classes: int) -> Branched:
    """resnet18, 34, 50, 101 or 152 (He et al. 2016)."""
    import torchvision

    body = torchvision.models.get_model(name, weights=None)
    return _branched(body, classes)


def scaled_resnet18(
    classes: int, width: float = 1.0, blocks: tuple[int, ...] = (2, 2, 2, 2), image_size: int = 224
) -> Branched:
    """ResNet-18 with ``width`` times the channels, and the given number of blocks in each stage.

    A stage without blocks is left out, and so is its halving of the resolution (Gokce & Schrimpf 2025).
    """
    from torchvision.models.resnet import BasicBlock, ResNet

    body = ResNet(BasicBlock, [1, 1, 1, 1])  # a template: its stem and its stages are replaced
    channels = [round(c * width) for c in STAGES]
    body.inplanes = channels[0]
    body.conv1 = nn.Conv2d(3, channels[0], 7, stride=2, padding=3, bias=False)
    body.bn1 = nn.BatchNorm2d(channels[0])
    for stage, (planes, count) in enumerate(zip(channels, blocks, strict=True), start=1):
        stride = 1 if stage == 1 else 2
        layer = body._make_layer(BasicBlock, planes, count, stride) if count else nn.Sequential()
        setattr(body, f"layer{stage}", layer)
    body.fc = nn.Linear(body.inplanes, 1)
    for module in body.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return _branched(body, classes, image_size)


def by_width_or_depth(name: str, classes: int) -> Branched | None:
    """``resnet18_w0.5`` (half the channels) or ``resnet18_d1102`` (blocks of the four stages); None for others.

    Images have 224 pixels, or as many as the name says at its end: ``resnet18_w0.5_64px``.
    """
    if match := re.fullmatch(WIDTH, name):
        width = float(match[1])
        if not 1 / 64 <= width <= 16:
            raise ValueError(f"{name}: the width must lie between {1 / 64} and 16 (1/16 is written w0.0625)")
        return scaled_resnet18(classes, width=width, image_size=_pixels(name, match[2]))
    if match := re.fullmatch(DEPTH, name):
        blocks = tuple(int(digit) for digit in match[1])
        if not any(blocks):
            raise ValueError(f"{name}: at least one stage needs a block, such as resnet18_d1000")
        return scaled_resnet18(classes, blocks=blocks, image_size=_pixels(name, match[2]))
    return None


def _pixels(name: str, digits: str | None) -> int:
    size = int(digits or 224)
    if not 32 <= size <= 1024:
        raise ValueError(f"{name}: images must have 32 to 1024 pixels, since five layers halve them; got {size}")
    return size


def _branched(body: nn.Module, classes: int, image_size: int = 224) -> Branched:
    width, body.fc = body.fc.in_features, nn.Identity()
    candidates = ["conv1", "relu"]
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        for number, block in enumerate(getattr(body, stage)):
            # The ReLU module of a block runs more than once; the output of the block is that of its last run.
            last = "conv3" if hasattr(block, "conv3") else "conv2"
            candidates += [f"{stage}.{number}.{last}", f"{stage}.{number}"]
    return Branched(body, width, classes, candidates, image_size=image_size)
