"""A network without branches ("straight"), split for learning rules: weighted layers by name, a block for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from brainscore_granularity.networks import Network

WEIGHTED = (nn.Conv2d, nn.Linear)
BETWEEN = (_BatchNorm, nn.ReLU, nn.MaxPool2d, nn.AdaptiveAvgPool2d, nn.Flatten)


def weighted(network: nn.Module) -> dict[str, nn.Module]:
    """The layers with weights, early to late; raises for a network that local rules cannot train."""
    if not isinstance(network, Network):
        raise ValueError(
            "this learning rule needs a network without branches, such as rules_cnn, mini or tiny, "
            f"got {type(network).__name__}"
        )
    for name, module in network.named_children():
        if not isinstance(module, (*WEIGHTED, *BETWEEN)):
            raise ValueError(
                f"this learning rule knows convolutions, linear layers, batch norm, ReLU, pooling and flattening; "
                f"{name} is {type(module).__name__}. Choose a network of these only, such as rules_cnn, mini or tiny"
            )
    return {name: module for name, module in network.named_children() if isinstance(module, WEIGHTED)}


def blocks(network: nn.Module) -> dict[str, nn.Sequential]:
    """Each weighted layer with all modules up to the next weighted layer, by the layer's name."""
    names, found = weighted(network), {}
    for name, module in network.named_children():
        if name in names:
            found[name] = []
        found[next(reversed(found))].append(module)
    return {name: nn.Sequential(*modules) for name, modules in found.items()}


@contextmanager
def backward_through(network: nn.Module, feedback: dict[str, torch.Tensor], learn: bool = True) -> Iterator[None]:
    """Context manager: the named layers send errors back through other weights than their own.

    feedback : weights of the same shape as the layer's own, whose transpose replaces theirs in the backward pass.
    learn : compute the change of these layers' weights too.
    """
    changed = [network.get_submodule(name) for name in feedback]
    for module, other in zip(changed, feedback.values(), strict=True):
        module.forward = _forward(module, other, learn)
    try:
        yield
    finally:
        for module in changed:
            del module.forward


def _forward(module: nn.Module, feedback: torch.Tensor, learn: bool):
    weight, bias = (p if learn or p is None else p.detach() for p in (module.weight, module.bias))
    return lambda inputs: _Through.apply(inputs, weight, bias, feedback, module)


class _Through(torch.autograd.Function):
    """A convolution or linear layer y = W x + b with dL/dx = B^T dL/dy; dL/dW and dL/db are the usual ones."""

    @staticmethod
    def forward(ctx, inputs, weight, bias, feedback, module):
        kind = inputs.device.type
        if torch.is_autocast_enabled(kind):
            low = torch.get_autocast_dtype(kind)
            inputs, weight, feedback = inputs.to(low), weight.to(low), feedback.to(low)
            bias = bias if bias is None else bias.to(low)
        ctx.save_for_backward(inputs, feedback)
        ctx.module = module
        if isinstance(module, nn.Linear):
            return nn.functional.linear(inputs, weight, bias)
        return module._conv_forward(inputs, weight, bias)

    @staticmethod
    def backward(ctx, error):
        inputs, feedback = ctx.saved_tensors
        module = ctx.module
        needs = ctx.needs_input_grad[:3]
        if isinstance(module, nn.Linear):
            back = error @ feedback if needs[0] else None
            change = error.T @ inputs if needs[1] else None
            return back, change, error.sum(0) if needs[2] else None, None, None
        # One call computes both: the error sent back does not depend on the inputs, nor the change on the weights.
        sizes = None if module.bias is None else list(module.bias.shape)
        geometry = module.stride, module.padding, module.dilation, False, (0, 0), module.groups
        back, change, offset = torch.ops.aten.convolution_backward(error, inputs, feedback, sizes, *geometry, needs)
        return back, change, offset, None, None
