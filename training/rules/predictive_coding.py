r"""Predictive coding (Rao & Ballard 1999; Whittington & Bogacz 2017): value nodes relax, then weights learn locally.

Layer l predicts its value nodes from those below, p_l = f_l(x_{l-1}; W_l), and its error nodes are e_l = x_l - p_l.
The input x_0 is the image, and the output is pulled towards the target with strength \beta. The energy is

    F = sum_l |e_l|^2 / 2 + \beta L(f_L(x_{L-1}), target)

1. Relaxation, W fixed: T times from the forward pass, e_l <- e_l - \eta (e_l - f_{l+1}'^T V_{l+1} e_{l+1}) from the
   top down, then x_l = p_l(x_{l-1}) + e_l from the bottom up: each layer uses its neighbours only. These are steps
   down F in the coordinates e instead of x, which has the same minima; in x, curvature grows with the depth, and
   hundreds of steps are not enough (Goemaere et al. 2025). A step that would raise F is not taken and halves \eta;
   one that is taken makes \eta a fifth larger, up to 1. So F never rises.
2. Learning, x fixed: dW_l = -e_l f_l'(x_{l-1}) x_{l-1}^T / \beta, the layer's own error times its own input.

Top-down weights V: ``tied`` are the transposed W. ``learned`` are weights of their own, which start as the transposed W
and get the same product of error and activity as W, through the same optimiser (Whittington & Bogacz 2017): no weight
is copied after the start. If they started different, weight decay would bring them together (Kolen & Pollack
1994). Where V differs from the transposed W, its step need not follow the slope of F; the step control holds.

At \beta -> 0 the settled errors become \beta times those of backpropagation, and so do the changes. After few steps the
nodes may not have settled: at \beta = 0.01 two steps make nearly all of the decrease of F, at 0.1 four steps do not.

Local: every layer, the readout and the scales and offsets of batch norm included. Not local: the step control, which
needs the whole F, and the statistics of batch norm, which every value node of a batch shares.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ..loop import parallel
from .backprop import Backprop
from .layers import backward_through, blocks, weighted

SLOWER, FASTER = 0.5, 1.2


class PredictiveCoding(Backprop):
    """``inference_steps`` T, ``clamp`` \\beta and ``top_down`` of the recipe."""

    def __init__(self, recipe, network):
        super().__init__(recipe, network)
        self.steps, self.clamp = recipe.inference_steps, recipe.clamp
        weights = {name: module.weight for name, module in list(weighted(network).items())[1:]}
        learned = weights if recipe.top_down == "learned" else {}
        self.top_down = nn.ParameterDict({name: w.detach().clone() for name, w in learned.items()})
        self.energies = torch.zeros(0)  # energies F of the last batch, by step; read by reports and tests

    def learn(self, network, objective, views, targets, pieces, low_precision):
        first, *rest = blocks(network).values()
        with low_precision:
            # The prediction of the first layer depends on the image alone: compute it once per batch.
            lowest = parallel.at_least_single(first(views[0]))
        values, loss = self.relax(network, objective, rest, lowest.detach(), targets, low_precision)
        # The statistics that evaluation uses are those of the forward pass, not of T relaxation steps.
        with _statistics_kept(rest):  # until the backward pass is over: that of batch norm needs them unchanged
            with low_precision:
                energy = self.energy(objective, rest, lowest, values, targets)
            (energy / (self.clamp * len(targets) * pieces)).backward()
        for name, top_down in self.top_down.items():
            top_down.grad = network.get_submodule(name).weight.grad.clone()  # sum over all pieces so far
        return loss / pieces

    def relax(self, network, objective, rest, lowest, targets, low_precision) -> tuple[list, torch.Tensor]:
        """Value nodes (b, ...) of all hidden layers after T steps down the energy, and the loss before the first.

        rest : the blocks above the first.
        lowest : prediction of the first block.
        """

        def measured(errors, slopes_too=True):
            with torch.set_grad_enabled(slopes_too), backward_through(network, dict(self.top_down), learn=False):
                with low_precision:
                    errors, values, logits = _sweep(rest, lowest, errors)
                    loss = objective.entropy(logits, targets)
                    energy = sum(e.square().sum() for e in errors) / 2 + self.clamp * len(targets) * loss
                slopes = errors
                if slopes_too:
                    slopes = torch.autograd.grad(energy, errors)
            energy = energy.detach()
            if parallel.processes().number > 1:
                parallel.average_([energy])
            return energy, [e.detach() for e in errors], slopes, [v.detach() for v in values], loss.detach()

        energy, errors, slopes, values, loss = measured(None)
        energies, rate = [energy], torch.ones_like(energy)
        with _statistics_kept(rest):
            for left in reversed(range(self.steps)):
                stepped = [e - rate * s for e, s in zip(errors, slopes, strict=True)]
                new, *tried, _ = measured(stepped, slopes_too=left > 0)
                # Chosen on the device, so that nothing waits for it. A NaN counts as not lower.
                lower = new <= energy
                energy = torch.where(lower, new, energy)
                errors, slopes, values = (
                    [torch.where(lower, a, b) for a, b in zip(better, kept, strict=True)]
                    for better, kept in zip(tried, (errors, slopes, values), strict=True)
                )
                rate = (rate * torch.where(lower, FASTER, SLOWER)).clamp(max=1)
                energies.append(energy)
        self.energies = torch.stack(energies)
        return values, loss

    def energy(self, objective, rest, lowest, values, targets) -> torch.Tensor:
        """F, summed over the images, as a function of the weights alone."""
        total = (values[0] - lowest).square().sum() / 2
        for part, below, value in zip(rest[:-1], values[:-1], values[1:], strict=True):
            total = total + (value - parallel.at_least_single(part(below))).square().sum() / 2
        return total + self.clamp * len(targets) * objective.entropy(rest[-1](values[-1]), targets)


def _sweep(rest: list[nn.Module], lowest: torch.Tensor, errors: list[torch.Tensor] | None) -> tuple[list, list, Any]:
    """Errors (zeros if None is given) and value nodes (prediction plus error) of the hidden layers, and the logits."""
    given, values, used = iter(errors or ()), [], []
    for i in range(len(rest)):
        predicted = lowest if i == 0 else parallel.at_least_single(rest[i - 1](values[-1]))
        used.append((next(given) if errors else torch.zeros_like(predicted)).detach().requires_grad_())
        values.append(predicted + used[-1])
    return used, values, rest[-1](values[-1])


@contextmanager
def _statistics_kept(parts: list[nn.Module]) -> Iterator[None]:
    """Context manager: forward passes do not change the running statistics."""
    kept = [(buffer, buffer.clone()) for part in parts for buffer in part.buffers()]
    try:
        yield
    finally:
        for buffer, before in kept:
            buffer.copy_(before)
