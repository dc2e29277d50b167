r"""Feedback alignment: errors travel back through fixed weights instead of the transposed ones.

With y_l = W_l a_{l-1} and \delta_l = dL/dy_l, backpropagation sends W_l^T \delta_l to the layer below. Here it is

- ``random``: B_l^T \delta_l with B_l drawn once like W_l, from a stream of its own (Lillicrap et al. 2016);
- ``sign``: B_l = |B_l| sign(W_l), so that feedback has the right signs and fixed sizes (Liao et al. 2016,
  Xiao et al. 2019);
- ``direct``: B_l^T \delta_L, the error of the output sent to every layer at once (Nokland 2016).

dW_l = \delta_l a_{l-1}^T in all three variants and in every layer, linear ones included. With B_l = W_l the rule is
backpropagation.

Local: each layer's change needs its own input and the error that arrives. Not local: the error itself; batch norm and
the slope of ReLU and pooling are differentiated exactly within a layer. Trained by the gradient of the loss: the
readout, to which no error has to travel back. Scales and offsets of batch norm follow the error that arrives.
"""

from __future__ import annotations

import torch
from torch import nn

from .backprop import Backprop
from .layers import backward_through, weighted


class FeedbackAlignment(Backprop):
    """The recipe's ``feedback`` selects one of the three variants."""

    def __init__(self, recipe, network):
        super().__init__(recipe, network)
        self.kind = recipe.feedback
        self.names = list(weighted(network))[1:]  # no error is sent back through the first layer
        shapes = _direct_shapes(network, self.names) if self.kind == "direct" else None
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + 29)
        for name in self.names:
            own = network.get_submodule(name).weight
            if shapes:
                drawn = torch.randn(shapes[name], generator=generator) * shapes[name][0] ** -0.5
            else:
                drawn = torch.randn(own.shape, generator=generator) * own.detach().std()
            self.register_buffer(name, drawn)

    def feedback(self, network: nn.Module) -> dict[str, torch.Tensor]:
        """Weights that errors travel back through, by layer."""
        fixed = {name: self.get_buffer(name) for name in self.names}
        if self.kind == "sign":
            return {name: b.abs() * network.get_submodule(name).weight.detach().sign() for name, b in fixed.items()}
        return fixed

    def learn(self, network, objective, views, targets, pieces, low_precision):
        if self.kind == "direct":
            return self._direct(network, objective, views, targets, pieces, low_precision)
        with backward_through(network, self.feedback(network)):
            return super().learn(network, objective, views, targets, pieces, low_precision)

    def _direct(self, network, objective, views, targets, pieces, low_precision):
        arrived: list[torch.Tensor] = []

        def cut(module, inputs):
            arrived.append(inputs[0])
            return inputs[0].detach()

        hooks = [network.get_submodule(name).register_forward_pre_hook(cut) for name in self.names]
        try:
            with low_precision:
                logits = network(views[0])
                loss = objective.entropy(logits, targets) / pieces
        finally:
            for hook in hooks:
                hook.remove()
        (error,) = torch.autograd.grad(loss, logits, retain_graph=True)
        sent = [
            (error.to(b.dtype) @ b).view(a.shape).to(a.dtype)
            for b, a in zip(map(self.get_buffer, self.names), arrived, strict=True)
        ]
        torch.autograd.backward([loss, *arrived], [None, *sent])
        return loss.detach()


@torch.no_grad()
def _direct_shapes(network: nn.Module, names: list[str]) -> dict[str, tuple[int, int]]:
    """Number of classes, and number of inputs, of every layer."""
    training, network = network.training, network.eval()
    sizes: dict[str, int] = {}
    inputs = torch.zeros(1, 3, network.image_size, network.image_size)
    for name, module in network.named_children():
        sizes[name] = inputs.numel()
        inputs = module(inputs)
    network.train(training)
    return {name: (inputs.numel(), sizes[name]) for name in names}
