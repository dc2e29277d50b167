r"""How far a learning rule has changed a network, measured on one fixed batch.

For each layer with weights: displacement |W - W_0| / |W_0|, and the angle between the change that the rule makes and
the negative gradient of the loss, in degrees (90: unrelated; nan: no change). For each ReLU: the share of its outputs
above 0 over images and units, and their mean, in evaluation mode. Everything is measured on copies.
"""

from __future__ import annotations

import contextlib
import copy
import math

import torch
from torch import nn

from .backprop import Backprop
from .layers import weighted

QUANTITIES = ("displacement", "angle", "active", "mean")


class Report:
    """Measures a learner against the network that it started from.

    Parameters
    ----------
    inputs : normalised batch (b, 3, h, w).
    targets : (b,) classes.
    """

    def __init__(self, learner, inputs: torch.Tensor, targets: torch.Tensor):
        self.inputs, self.targets = inputs, targets
        self.start = {name: layer.weight.detach().clone() for name, layer in weighted(learner.network).items()}

    def __call__(self, learner) -> dict[str, dict[str, float]]:
        """The report: {quantity: {layer: value}}."""
        own = weighted(learner.network)
        moved = {name: ((own[name].weight.detach() - w).norm() / w.norm()).item() for name, w in self.start.items()}
        asked, exact = (self._changes(learner, rule) for rule in (learner.rule, Backprop(learner.recipe, None)))
        angles = {name: _angle(asked[name], exact[name]) for name in own}
        return {"displacement": moved, "angle": angles, **self._activity(learner)}

    def _changes(self, learner, rule: nn.Module) -> dict[str, torch.Tensor | None]:
        network, rule = copy.deepcopy(learner.network), copy.deepcopy(rule)
        for parameter in (*network.parameters(), *rule.parameters()):
            parameter.grad = None
        network.requires_grad_().train()  # also weights that a rule hides from the optimiser
        rule.learn(network, learner.objective, [self.inputs], self.targets, 1, contextlib.nullcontext())
        return {name: layer.weight.grad for name, layer in weighted(network).items()}

    @torch.no_grad()
    def _activity(self, learner) -> dict[str, dict[str, float]]:
        network, outputs = copy.deepcopy(learner.network).eval(), self.inputs
        active, mean = {}, {}
        for name, module in network.named_children():
            outputs = module(outputs)
            if isinstance(module, nn.ReLU):
                active[name], mean[name] = (outputs > 0).float().mean().item(), outputs.mean().item()
        return {"active": active, "mean": mean}


def by_layer(epochs: list[dict]) -> dict[str, dict[str, list[float | None]]]:
    """Reports, one per epoch -> {quantity: {layer: values by epoch}}; None where there is no angle."""
    return {
        quantity: {
            layer: [None if math.isnan(epoch[quantity][layer]) else epoch[quantity][layer] for epoch in epochs]
            for layer in epochs[0][quantity]
        }
        for quantity in (QUANTITIES if epochs else ())
    }


def _angle(a: torch.Tensor | None, b: torch.Tensor) -> float:
    if a is None or not a.any() or not b.any():
        return math.nan
    cosine = torch.dot(a.flatten().double(), b.flatten().double()) / (a.double().norm() * b.double().norm())
    return math.degrees(math.acos(min(1.0, max(-1.0, cosine.item()))))
