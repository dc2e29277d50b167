"""CORnet-S: four cortical areas, three of them recurrent (Kubilius, Schrimpf et al. 2019, NeurIPS)."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F

from .base import Branched

EXPANSION = 4  # inside an area there are four times as many channels as in its output
AREAS = {"V2": (64, 128, 2), "V4": (128, 256, 4), "IT": (256, 512, 2)}  # channels in, channels out, time steps


class Area(nn.Module):
    """A bottleneck that runs several times on its own output, with the same weights and a skip connection.

    Batch norms are not shared between time steps, because the statistics differ. The first step halves the
    resolution. ``states[t]`` is the area's activity after step t.
    """

    def __init__(self, inputs: int, outputs: int, steps: int):
        super().__init__()
        inner = outputs * EXPANSION
        self.enter = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.skip = nn.Conv2d(outputs, outputs, 1, stride=2, bias=False)
        self.skip_norm = nn.BatchNorm2d(outputs)
        self.expand = nn.Conv2d(outputs, inner, 1, bias=False)
        self.mix = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.reduce = nn.Conv2d(inner, outputs, 1, bias=False)
        self.expand_norms = nn.ModuleList(nn.BatchNorm2d(inner) for _ in range(steps))
        self.mix_norms = nn.ModuleList(nn.BatchNorm2d(inner) for _ in range(steps))
        self.reduce_norms = nn.ModuleList(nn.BatchNorm2d(outputs) for _ in range(steps))
        self.states = nn.ModuleList(nn.ReLU() for _ in range(steps))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, inputs, size, size) -> (n, outputs, size / 2, size / 2)."""
        x = self.enter(x)
        for step, state in enumerate(self.states):
            skip = self.skip_norm(self.skip(x)) if step == 0 else x
            x = F.relu(self.expand_norms[step](self.expand(x)))
            # The stride depends on the time step. Setting it on the module would not be thread-safe.
            x = F.conv2d(x, self.mix.weight, stride=2 if step == 0 else 1, padding=1)
            x = F.relu(self.mix_norms[step](x))
            x = state(self.reduce_norms[step](self.reduce(x)) + skip)
        return x


def cornet_s(classes: int) -> Branched:
    """V1 feed-forward, then V2, V4 and IT with 2, 4 and 2 time steps; 53.4 M parameters at 1,000 classes."""
    v1 = OrderedDict(
        conv1=nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
        bn1=nn.BatchNorm2d(64),
        relu1=nn.ReLU(),
        pool1=nn.MaxPool2d(3, stride=2, padding=1),
        conv2=nn.Conv2d(64, 64, 3, padding=1, bias=False),
        bn2=nn.BatchNorm2d(64),
        relu2=nn.ReLU(),
    )
    areas = {name: Area(*shape) for name, shape in AREAS.items()}
    body = nn.Sequential(
        OrderedDict(V1=nn.Sequential(v1), **areas, average=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
    )
    for module in body.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    states = [f"{name}.states.{step}" for name, (_, _, steps) in AREAS.items() for step in range(steps)]
    candidates = ["V1.conv1", "V1.relu1", "V1.conv2", "V1.relu2", *states]
    return Branched(body, 512, classes, candidates, image_size=224)
