r"""Predictive coding (Rao & Ballard 1999; Whittington & Bogacz 2017): value nodes settle, then weights learn locally.

Layer l predicts its value nodes from those below, p_l = f_l(x_{l-1}; W_l), and its error nodes are e_l = x_l - p_l.
The input x_0 is given, the output is pulled towards the target, with strength \beta:

    F = sum_l |e_l|^2 / 2 + \beta L(f_L(x_{L-1}), target)

1. Relaxation, W fixed: x_l <- x_l - \eta (e_l - f_l'^T V_{l+1} e_{l+1}), T times from the forward pass. A step that
   would raise F is not taken and halves \eta; one that is taken makes \eta a fifth larger. So F never rises.
2. Learning, x fixed: dW_l = -e_l f_l'(x_{l-1}) x_{l-1}^T / \beta, the layer's own error times its own input.

Top-down weights V: ``tied`` are the transposed W. ``learned`` start at 0 and get the same product of error and
activity as W, through the same optimiser (Whittington & Bogacz 2017; Kolen & Pollack 1994; Millidge et al. 2020), so
that V_l holds what W_l^T has learned. Their step need not follow the slope of F; the step control keeps F from rising.

At \beta -> 0 the settled errors become \beta times those of backpropagation, and so do the changes.

Local: every layer, the readout and the scales and offsets of batch norm included. Not local: the step control, which
needs the whole F, and the statistics of batch norm, which every value node of a batch shares.
"""

from __future__ import annotations

import torch
from torch import nn

from .. import parallel
from .backprop import Backprop
from .layers import backward_through, blocks, weighted

FIRST_RATE, SLOWER, FASTER = 0.5, 0.5, 1.2


class PredictiveCoding(Backprop):
    """``inference_steps`` T, ``clamp`` \\beta and ``top_down`` of the recipe."""

    def __init__(self, recipe, network):
        super().__init__(recipe, network)
        self.steps, self.clamp = recipe.inference_steps, recipe.clamp
        weights = {name: module.weight for name, module in list(weighted(network).items())[1:]}
        learned = weights if recipe.top_down == "learned" else {}
        self.top_down = nn.ParameterDict({name: torch.zeros_like(w) for name, w in learned.items()})
        self.register_buffer("rate", torch.tensor(FIRST_RATE))
        self.energies = torch.zeros(0)  # of the last batch, for whoever looks

    def learn(self, network, objective, views, targets, pieces, low_precision):
        parts, n = blocks(network), len(targets)
        with low_precision, torch.no_grad():
            values, logits = _sweep(parts, views[0])
            loss = objective.entropy(logits, targets)
        # The statistics that evaluation uses are those of the forward pass, not of T relaxation steps.
        norms = [(buffer, buffer.clone()) for buffer in network.buffers()]
        values = self.relax(network, objective, parts, views[0], values, targets, low_precision)
        with low_precision:
            energy = self.energy(objective, parts, views[0], values, targets)
        (energy / (self.clamp * n * pieces)).backward()
        for buffer, kept in norms:
            buffer.copy_(kept)
        for name, top_down in self.top_down.items():
            top_down.grad = network.get_submodule(name).weight.grad.clone()  # of all pieces so far
        return loss / pieces

    def relax(self, network, objective, parts, inputs, values, targets, low_precision) -> list[torch.Tensor]:
        """Value nodes (b, ...) of all hidden layers after T steps down the energy."""

        def measured(values):
            values = [v.detach().requires_grad_() for v in values]
            with torch.enable_grad(), backward_through(network, dict(self.top_down)):
                with low_precision:
                    energy = self.energy(objective, parts, inputs, values, targets)
                slopes = torch.autograd.grad(energy, values)
            energy = energy.detach()
            if parallel.processes().number > 1:
                parallel.average_([energy])
            return energy, [v.detach() for v in values], slopes

        energy, values, slopes = measured(values)
        energies = [energy]
        for _ in range(self.steps):
            tried = [v - self.rate * s for v, s in zip(values, slopes, strict=True)]
            new, tried, new_slopes = measured(tried)
            # Chosen on the device, so that nothing waits for it. Not a number is not lower either.
            lower = new <= energy
            energy = torch.where(lower, new, energy)
            values = [torch.where(lower, a, b) for a, b in zip(tried, values, strict=True)]
            slopes = [torch.where(lower, a, b) for a, b in zip(new_slopes, slopes, strict=True)]
            self.rate *= torch.where(lower, FASTER, SLOWER)
            energies.append(energy)
        self.energies = torch.stack(energies)
        return values

    def energy(self, objective, parts, inputs, values, targets) -> torch.Tensor:
        """F, summed over the images."""
        total, *_, last = torch.zeros((), device=inputs.device), *parts
        for (name, part), value in zip(parts.items(), [*values, None], strict=True):
            predicted = part(inputs)
            if name == last:
                return total + self.clamp * len(targets) * objective.entropy(predicted, targets)
            total = total + (value - predicted.float()).square().sum() / 2
            inputs = value


def _sweep(parts: dict[str, nn.Module], inputs: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
    """What every block says in a forward pass: value nodes without error, and the logits."""
    values = []
    for part in parts.values():
        inputs = part(inputs)
        values.append(inputs)
    return [v.float() for v in values[:-1]], values[-1]
