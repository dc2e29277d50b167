"""No learning: the network of epoch 0, which is the baseline of every rule at the same seed.

Neither weights nor the running statistics of batch norm change: the result depends on the seed alone.
"""

from __future__ import annotations

import torch

from .backprop import Backprop


class Untrained(Backprop):
    """dW = 0."""

    @torch.no_grad()
    def learn(self, network, objective, views, targets, pieces, low_precision):
        with low_precision:
            return objective(network.eval(), views, targets) / pieces
