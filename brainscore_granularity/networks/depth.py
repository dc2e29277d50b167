"""Layers of a network for the regions of the ventral stream, by a rule that uses no brain data."""

from __future__ import annotations

import torch
from torch import nn

from .base import Branched, Network
from .by_name import without_weights

DEPTHS = {"V1": 0.25, "V2": 0.5, "V4": 0.75, "IT": 1.0}


def layers_by_depth(network: str) -> dict[str, str]:
    """{region: layer} by relative depth; no brain data are used, so the choice cannot overfit and has no noise.

    Of n stages, stage i has depth i / n. V1 is the stage nearest to .25, V2 to .5, V4 to .75 (if two are equally near,
    the later one), IT the last; behaviour is the readout, the last hidden layer.

    network : name of an architecture, see `networks.build`.

    Examples
    --------
    >>> layers_by_depth("tiny")
    {'V1': 'relu1', 'V2': 'relu3', 'V4': 'relu4', 'IT': 'relu5', 'behavior': 'relu6'}
    """
    layers = without_weights(network)
    names = stages(layers)
    if not names:
        raise ValueError(f"no candidate layer of {network} has places in the image, got {', '.join(layers.candidates)}")

    def nearest(depth: float) -> str:
        return names[max(range(len(names)), key=lambda i: (-round(abs((i + 1) / len(names) - depth), 9), i))]

    return {**{region: nearest(depth) for region, depth in DEPTHS.items()}, "behavior": layers.readout}


def stages(network: Network | Branched) -> list[str]:
    """Candidate layers with places in the image (maps or tokens), each after its non-linearity: no bare convolution.

    network : on torch's meta device, which computes only shapes.
    """
    modules = {name: network.get_submodule(name) for name in network.candidates}
    places = set()
    hooks = [
        module.register_forward_hook(lambda *run, name=name: places.add(name) if run[2].ndim > 2 else None)
        for name, module in modules.items()
    ]
    network.eval()(torch.empty(1, 3, network.image_size, network.image_size, device="meta"))
    for hook in hooks:
        hook.remove()
    return [name for name, module in modules.items() if name in places and not isinstance(module, nn.Conv2d)]
