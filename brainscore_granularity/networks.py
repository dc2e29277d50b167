"""Architectures: pure torch, self-contained, every stage a named layer.

A network is an ``nn.Sequential`` whose children carry readable names (``conv1``, ``bn1``, ``relu1``, ...), so
that a layer can be recorded by name before batch norm (``conv1``) and after the non-linearity (``relu1``).
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Network(nn.Sequential):
    """A sequential network that knows its input and its layers.

    Attributes
    ----------
    image_size : side of the square input in pixels.
    candidates : names of the layers a brain region may be committed to, early to late.
    readout : name of the last hidden layer, the one that features are taken from.
    """

    def __init__(self, layers: OrderedDict[str, nn.Module], image_size: int):
        super().__init__(layers)
        self.image_size = image_size
        self.candidates = tuple(name for name in layers if name.startswith(("conv", "relu", "fc")))
        self.readout = next(name for name in reversed(layers) if name.startswith("relu"))

    def features(self, images: torch.Tensor, layer: str | None = None) -> torch.Tensor:
        """Activations of one layer (default: the readout), without running what comes after it."""
        layer = layer or self.readout
        if layer not in self._modules:
            raise ValueError(f"no layer {layer!r}; candidates are {', '.join(self.candidates)}")
        for name, module in self.named_children():
            images = module(images)
            if name == layer:
                break
        return images


def mini(classes: int) -> Network:
    """The world's network: four convolutions and one hidden layer on 48-pixel images, 0.14 M parameters."""
    layers = OrderedDict()
    _conv(layers, 1, 3, 24, kernel=5, stride=2, pool=True)
    _conv(layers, 2, 24, 48, kernel=3, pool=True)
    _conv(layers, 3, 48, 64, kernel=3)
    _conv(layers, 4, 64, 64, kernel=3, pool=True)
    layers["flatten"] = nn.Flatten()
    _hidden(layers, 5, 64 * 3 * 3, 96)
    layers["head"] = nn.Linear(96, classes)
    return Network(layers, image_size=48)


NETWORKS = {"mini": mini}


def build(name: str, classes: int, seed: int) -> Network:
    """A freshly initialised network; the same seed gives the same body for any number of classes."""
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}; known: {', '.join(sorted(NETWORKS))}")
    with torch.random.fork_rng(devices=[]):
        network = NETWORKS[name](classes)
        torch.manual_seed(seed)  # here, because construction draws numbers that depend on the size of the head
        initialise(network)
    return network


def initialise(network: nn.Module) -> None:
    """Kaiming normal (fan out) for convolutions and hidden layers, N(0, 1/sqrt(fan in)) for the last one.

    Layers are drawn in order and the head comes last, so the body does not depend on the number of classes.
    """
    weighted = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    for module in weighted[:-1]:
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    head = weighted[-1]
    nn.init.normal_(head.weight, std=head.weight.shape[1] ** -0.5)
    for module in weighted:
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _conv(layers, index, inputs, outputs, kernel, stride=1, pool=False):
    layers[f"conv{index}"] = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    layers[f"bn{index}"] = nn.BatchNorm2d(outputs)
    layers[f"relu{index}"] = nn.ReLU()
    if pool:
        layers[f"pool{index}"] = nn.MaxPool2d(2)


def _hidden(layers, index, inputs, outputs):
    layers[f"fc{index}"] = nn.Linear(inputs, outputs, bias=False)
    layers[f"bn{index}"] = nn.BatchNorm1d(outputs)
    layers[f"relu{index}"] = nn.ReLU()
