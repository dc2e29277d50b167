"""Networks without branches: each stage is recorded before batch norm (``conv1``) and after the ReLU (``relu1``)."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from .base import Network


def mini(classes: int) -> Network:
    """The embedded world's network: four convolutions and one hidden layer on 48-pixel images, 0.14 M parameters."""
    layers = OrderedDict()
    _conv(layers, 1, 3, 24, kernel=5, stride=2, pool=2)
    _conv(layers, 2, 24, 48, kernel=3, pool=2)
    _conv(layers, 3, 48, 64, kernel=3)
    _conv(layers, 4, 64, 64, kernel=3, pool=2)
    layers["flatten"] = nn.Flatten()
    _hidden(layers, 5, 64 * 3 * 3, 96)
    layers["head"] = nn.Linear(96, classes)
    return Network(layers, image_size=48)


def tiny(classes: int) -> Network:
    """Five convolutions and one hidden layer on 64-pixel images, 0.55 M parameters; trained in minutes on two cores."""
    layers = OrderedDict()
    _conv(layers, 1, 3, 32, kernel=5, stride=2, pool=2)
    _conv(layers, 2, 32, 64, kernel=3, pool=2)
    _conv(layers, 3, 64, 96, kernel=3)
    _conv(layers, 4, 96, 128, kernel=3)
    _conv(layers, 5, 128, 128, kernel=3, pool=2)
    layers["flatten"] = nn.Flatten()
    _hidden(layers, 6, 128 * 4 * 4, 96)
    layers["head"] = nn.Linear(96, classes)
    return Network(layers, image_size=64)


def rules_cnn(classes: int) -> Network:
    """The network that learning rules are compared on: three convolutions and one hidden layer on 32-pixel images.

    As in the published comparison (arXiv 2604.16875), except that the hidden layer has 64 units instead of 512: 0.23 M
    parameters, 0.46 MB in half precision.
    """
    layers = OrderedDict()
    _conv(layers, 1, 3, 32, kernel=3, pool=2)
    _conv(layers, 2, 32, 64, kernel=3, pool=2)
    _conv(layers, 3, 64, 128, kernel=3, pool=2)
    layers["flatten"] = nn.Flatten()
    _hidden(layers, 4, 128 * 4 * 4, 64, name="fc1")
    layers["head"] = nn.Linear(64, classes)
    return Network(layers, image_size=32)


def alexnet_bn(classes: int) -> Network:
    """AlexNet with batch norm, as in Mehta & Bonner 2026 (arXiv 2605.05556), 34 M parameters at 1,000 classes.

    Dropout before both hidden layers is 0.5, as in the paper for batches of 256; for batches of 32 the paper uses 0.3.
    """
    layers = OrderedDict()
    _conv(layers, 1, 3, 96, kernel=11, stride=4, padding=2, pool=3)
    _conv(layers, 2, 96, 256, kernel=5, pool=3)
    _conv(layers, 3, 256, 384, kernel=3)
    _conv(layers, 4, 384, 384, kernel=3)
    _conv(layers, 5, 384, 256, kernel=3, pool=3)
    layers["average"] = nn.AdaptiveAvgPool2d(3)
    layers["flatten"] = nn.Flatten()
    layers["drop6"] = nn.Dropout(0.5)
    _hidden(layers, 6, 256 * 3 * 3, 4096, bias=True)
    layers["drop7"] = nn.Dropout(0.5)
    _hidden(layers, 7, 4096, 4096, bias=True)
    layers["head"] = nn.Linear(4096, classes)
    return Network(layers, image_size=224)


def _conv(layers, index, inputs, outputs, kernel, stride=1, padding=None, pool=None):
    padding = kernel // 2 if padding is None else padding
    layers[f"conv{index}"] = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
    layers[f"bn{index}"] = nn.BatchNorm2d(outputs)
    layers[f"relu{index}"] = nn.ReLU()
    if pool:
        layers[f"pool{index}"] = nn.MaxPool2d(pool, stride=2)


def _hidden(layers, index, inputs, outputs, bias=False, name=None):
    layers[name or f"fc{index}"] = nn.Linear(inputs, outputs, bias=bias)
    layers[f"bn{index}"] = nn.BatchNorm1d(outputs)
    layers[f"relu{index}"] = nn.ReLU()
