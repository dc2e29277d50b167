"""Only the readout learns, by the gradient of the loss: the baseline with random features, and the control for STDP.

Everything before the last linear layer keeps its initial weights; batch norm follows its running statistics, with
scale 1 and offset 0.
"""

from __future__ import annotations

import torch

from ..loop.head import head_of
from .backprop import Backprop


class Readout(Backprop):
    """dW_l = 0, except for the last layer."""

    def learn(self, network, objective, views, targets, pieces, low_precision):
        with low_precision:
            with torch.no_grad():
                hidden = self.hidden(network, views[0], pieces)
            loss = objective.entropy(head_of(network)(hidden), targets) / pieces
        loss.backward()
        return loss.detach()

    def hidden(self, network, inputs, pieces):
        """Input of the readout; a rule that trains hidden layers during this forward pass overrides it."""
        for module in list(network.children())[:-1]:
            inputs = module(inputs)
        return inputs
