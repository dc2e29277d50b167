r"""Spike-timing-dependent plasticity in every hidden layer; the readout is trained by the gradient of the loss.

Neurons are those of the network, which is evaluated with its rates like that of any other rule; to learn, each layer
turns what it reads into spikes, one at most a unit: the stronger the sooner (latency code, Thorpe & Gautrais 1998).

- Input a, with s twice its root mean square in the image: spike at t = floor(T (1 - |a| / s)), none at t >= T. A
  negative input (first layer only) spikes in an OFF cell, whose weight is the negative of that of the ON cell.
- Leaky integration over T steps, v(t) = LEAK v(t - 1) + w . s(t) / |w|, threshold \theta of each channel.
- Winner takes all: at each place of a convolution only the channel furthest above its threshold fires, once, and
  silences the others for the rest of the image (Kheradpisheh et al. 2018).
- For every pair of spikes, with dt = t_post - t_pre (Bi & Poo 1998; Song, Miller & Abbott 2000):
  dt > 0: dw = exp(-dt / \tau_+);  dt < 0: dw = -A exp(dt / \tau_-);  dt = 0: nothing.
- Homeostasis: \theta falls in channels that fire less than their share, and rises in the others; kernels are scaled
  back to their initial norm after each step.

Local: all hidden weights, without labels. Trained by the gradient of the loss: the readout. Batch norm follows its
running statistics, with scale 1 and offset 0.
"""

from __future__ import annotations

import torch
from torch import nn

from .layers import blocks
from .readout import Readout

LEAK = 0.9  # of the membrane's potential kept a step
SHARE = 0.5  # of the places of a map that fire, once thresholds have settled
THRESHOLD_RATE = 0.05  # how fast they do, in units of the share


class STDP(Readout):
    """``spike_steps`` T, ``tau_plus``, ``tau_minus`` in steps and ``depression`` A of the recipe."""

    def __init__(self, recipe, network):
        super().__init__(recipe, network)
        self.steps, self.tau_plus, self.tau_minus = recipe.spike_steps, recipe.tau_plus, recipe.tau_minus
        self.depression = recipe.depression
        self.names = list(blocks(network))[:-1]
        for name in self.names:
            weight = network.get_submodule(name).weight
            self.register_buffer(f"{name}_norm", weight.detach().flatten(1).norm(dim=1))
            self.register_buffer(f"{name}_threshold", torch.ones(len(weight)))
            self.register_buffer(f"{name}_fired", torch.zeros(len(weight)), persistent=False)

    def hidden(self, network, inputs, pieces):
        for name, part in list(blocks(network).items())[:-1]:
            self._plasticity(name, part[0], inputs, pieces)
            inputs = part(inputs)
        return inputs

    def _plasticity(self, name: str, layer: nn.Module, inputs: torch.Tensor, pieces: int) -> None:
        """Add one layer's change to its gradient."""
        pre = latency_spikes(inputs, self.steps)
        weight = layer.weight / layer.weight.flatten(1).norm(dim=1).view(-1, *(1 for _ in layer.weight.shape[1:]))
        drive = _apply(layer, pre.flatten(0, 1), weight).unflatten(0, (self.steps, -1))
        post = winners(drive, getattr(self, f"{name}_threshold"))
        change = pair_changes(layer, pre, post, self.tau_plus, self.tau_minus, self.depression)
        places = post[0].numel() / len(layer.weight)  # of all images
        change = change * (len(layer.weight) / places / pieces)
        layer.weight.grad = -change if layer.weight.grad is None else layer.weight.grad - change
        getattr(self, f"{name}_fired").add_(post.sum(0).transpose(0, 1).flatten(1).sum(1) / places / pieces)

    def statistics(self):
        return [getattr(self, f"{name}_fired") for name in self.names]

    @torch.no_grad()
    def after_step(self, network):
        for name in self.names:
            fired, share = getattr(self, f"{name}_fired"), SHARE / len(getattr(self, f"{name}_fired"))
            getattr(self, f"{name}_threshold").add_(THRESHOLD_RATE * (fired / share - 1).clamp(max=3))
            fired.zero_()
            weight = network.get_submodule(name).weight
            scale = getattr(self, f"{name}_norm") / weight.flatten(1).norm(dim=1)
            weight.mul_(scale.view(-1, *(1 for _ in weight.shape[1:])))


def latency_spikes(inputs: torch.Tensor, steps: int) -> torch.Tensor:
    """(b, ...) activity -> (steps, b, ...) spikes in {-1, 0, 1}, one at most a unit, the strongest first."""
    size = 2 * inputs.flatten(1).square().mean(1).sqrt().clamp(min=1e-12).view(-1, *(1 for _ in inputs.shape[1:]))
    time = (steps * (1 - (inputs.abs() / size).clamp(max=1))).floor()
    moments = torch.arange(steps, device=inputs.device).view(-1, *(1 for _ in inputs.shape))
    return (time == moments) * inputs.sign()


def winners(drive: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
    """(steps, b, channels, ...) input currents -> spikes of that shape, one at most at each place of an image."""
    potential = torch.zeros_like(drive[0])
    quiet = torch.ones_like(drive[0][:, :1], dtype=torch.bool)
    threshold = threshold.view(-1, *(1 for _ in drive.shape[3:]))
    fired = []
    for current in drive:
        potential = LEAK * potential + current
        above, who = (potential - threshold).max(dim=1, keepdim=True)
        fires = quiet & (above > 0)
        fired.append(torch.zeros_like(potential).scatter_(1, who, fires.to(potential.dtype)))
        quiet = quiet & ~fires
    return torch.stack(fired)


def pair_changes(
    layer: nn.Module, pre: torch.Tensor, post: torch.Tensor, tau_plus: float, tau_minus: float, depression: float
) -> torch.Tensor:
    """Change of the layer's weights summed over all pairs of spikes, images and places.

    pre : (T, b, what the layer reads).
    post : (T, b, what the layer says).

    With traces P(t) = sum_{t' < t} exp(-(t - t') / tau_+) pre(t') and Q(t), the same of post with tau_-, the sum over
    pairs is sum_t post(t) P(t) - A Q(t) pre(t).
    """
    inputs = torch.cat([trace(pre, tau_plus), pre]).flatten(0, 1)
    outputs = torch.cat([post, -depression * trace(post, tau_minus)]).flatten(0, 1)
    if isinstance(layer, nn.Linear):
        return outputs.T @ inputs
    geometry = layer.stride, layer.padding, layer.dilation, False, (0, 0), layer.groups
    needs = (False, True, False)
    return torch.ops.aten.convolution_backward(outputs, inputs, layer.weight.detach(), None, *geometry, needs)[1]


def trace(spikes: torch.Tensor, tau: float) -> torch.Tensor:
    """(T, ...): what is left at each moment of the spikes before it, exp(-age / tau) each."""
    decay, left, traces = torch.exp(torch.tensor(-1 / tau)).item(), torch.zeros_like(spikes[0]), []
    for now in spikes:
        traces.append(left)
        left = decay * (left + now)
    return torch.stack(traces)


def _apply(layer: nn.Module, inputs: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    if isinstance(layer, nn.Linear):
        return nn.functional.linear(inputs, weight)
    return layer._conv_forward(inputs, weight, None)
