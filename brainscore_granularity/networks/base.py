"""The interface of every network: its input size, its layers by name, and the activations of each layer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn


class Network(nn.Sequential):
    """A sequential network that knows its input and its layers.

    Attributes
    ----------
    image_size : side of the square input in pixels.
    candidates : names of the layers a brain region may be committed to, early to late.
    readout : name of the last hidden layer, from which features are taken.
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


class Branched(nn.Module):
    """A network with branches, such as residual connections, with the interface of `Network`.

    Its children are ``body`` (images -> features (n, width)), ``pooled`` (the features themselves, so that they
    can be recorded by name) and ``head`` (features -> classes), so that layers have paths such as
    ``body.layer1.0`` and the head is called ``head`` in every network.

    Parameters
    ----------
    body : the network without its classifier.
    width : number of features.
    candidates : paths within the body, early to late, of modules that run once in a forward pass; ``pooled``
        comes after them.
    """

    readout = "pooled"

    def __init__(self, body: nn.Module, width: int, classes: int, candidates: Sequence[str], image_size: int):
        super().__init__()
        self.body = body
        self.pooled = nn.Identity()
        self.head = nn.Linear(width, classes)
        self.image_size = image_size
        self.candidates = (*(f"body.{name}" for name in candidates), self.readout)
        for name in self.candidates:
            self.get_submodule(name)  # a wrong name fails here, not in the first recording
        for module in body.modules():
            # Brain-Score keeps a view of a layer's output; an operation in place would overwrite the recording.
            if getattr(module, "inplace", False):
                module.inplace = False

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(n, 3, size, size) -> (n, classes)."""
        return self.head(self.pooled(self.body(images)))

    def features(self, images: torch.Tensor, layer: str | None = None) -> torch.Tensor:
        """Activations of one layer (default: the readout), without running what comes after it."""
        layer = layer or self.readout
        if layer not in self.candidates and layer != "head":
            raise ValueError(f"no layer {layer!r}; candidates are {', '.join(self.candidates)}")
        handle = self.get_submodule(layer).register_forward_hook(_stop)
        try:
            self(images)
        except _Reached as reached:
            return reached.output
        finally:
            handle.remove()
        raise RuntimeError(f"layer {layer!r} did not run in a forward pass of this network")


class _Reached(Exception):
    """Raised to end a forward pass at the requested layer."""

    def __init__(self, output: torch.Tensor):
        self.output = output


def _stop(module, inputs, output):
    raise _Reached(output)
