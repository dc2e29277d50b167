"""Backpropagation (Rumelhart, Hinton & Williams 1986), and what it shares with every other learning rule.

A rule answers one question: by how much should each weight change for this batch? Its answer goes where a gradient
goes, into ``parameter.grad``, with the sign of a gradient. Everything else (the network and its initial weights, batch
norm, the order and augmentation of the images, optimiser, schedule, checkpoints, the sum over processes) belongs to
the loop, and is the same for all rules.

Local: nothing. Trained by the gradient of the loss: everything.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from torch import nn

from ..recipe import Recipe


class Backprop(nn.Module):
    """dW_l = dL/dW_l by the chain rule, with the transposed weights on the way back.

    Other rules replace `learn`. They keep their state between steps in parameters, which the loop's optimiser trains
    too, and in buffers; both are saved with the run.
    """

    def __init__(self, recipe: Recipe, network: nn.Module):
        super().__init__()

    def learn(
        self,
        network: nn.Module,
        objective: nn.Module,
        views: list[torch.Tensor],
        targets: torch.Tensor,
        pieces: int,
        low_precision: AbstractContextManager,
    ) -> torch.Tensor:
        """Add 1/``pieces`` of the change for this part of a batch to the gradients; returns 1/``pieces`` of its loss.

        low_precision : context manager for the forward passes.
        """
        with low_precision:
            loss = objective(network, views, targets) / pieces
        loss.backward()
        return loss.detach()

    def statistics(self) -> list[torch.Tensor]:
        """Tensors of this batch, other than gradients, that must be averaged over processes."""
        return []

    def after_step(self, network: nn.Module, rate: float) -> None:
        """Called once the optimiser has changed the weights; ``rate`` is the schedule's share of the learning rate."""
