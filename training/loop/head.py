"""The head of a network: its last linear layer, and linear layers like it."""

from __future__ import annotations

import torch
from torch import nn


def head_name(network: nn.Module) -> str:
    """Name of the last linear layer."""
    linear = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ValueError(f"{type(network).__name__} has no linear layer to read out from")
    return linear[-1]


def head_of(network: nn.Module) -> nn.Linear:
    """The last linear layer, which gives one logit a class."""
    return network.get_submodule(head_name(network))


def hidden_and_logits(network: nn.Module, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (b, width) and outputs (b, classes) of the head, in one forward pass."""
    seen = []
    handle = head_of(network).register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    try:
        logits = network(inputs)
    finally:
        handle.remove()
    return seen[0], logits


def linear(inputs: int, outputs: int, seed: int) -> nn.Linear:
    """N(0, 1/sqrt(inputs)) weights from a separate generator, so that no other random stream advances."""
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
    generator = torch.Generator().manual_seed(seed * 1_000_003 + 17)
    with torch.no_grad():
        layer.weight.normal_(std=inputs**-0.5, generator=generator)
        layer.bias.zero_()
    return layer
