r"""Spike-timing-dependent plasticity in every hidden layer; the readout is trained by the gradient of the loss.

Neurons are those of the network, which is evaluated with its rates like that of any other rule; to learn, each layer
turns what it reads into spikes, one at most a unit: the stronger the sooner (latency code, Thorpe & Gautrais 1998).
A step looks at a few places of each map only, the same in all images of a batch and others in the next.

- Input a, its channels decorrelated over the batch (lateral inhibition; Falez et al. 2020 whiten patches), and of the
  image less the mean of each channel in the window (surround): with s twice its root mean square in the window, spike
  at t = floor(T (1 - |a| / s)), none at t >= T. A negative input spikes in an OFF cell, whose weight is the negative
  of that of the ON cell.
- Leaky integration over T steps, v(t) = LEAK v(t - 1) + w . s(t) / |w|, threshold \theta of each channel.
- Winner takes all: at each place only the channel furthest above its threshold fires, once, and silences the others
  for the rest of the image (Kheradpisheh et al. 2018).
- For every pair of spikes, with dt = t_post - t_pre (Bi & Poo 1998; Song, Miller & Abbott 2000):
  dt > 0: dw = exp(-dt / \tau_+);  dt < 0: dw = -A exp(dt / \tau_-);  dt = 0: nothing.
- Kernels compete for each input: from its changes, their mean over kernels is subtracted, so that what an input gives
  in all stays the same (heterosynaptic competition, Fiete et al. 2010). Without it, all kernels become one.
- Homeostasis: \theta falls in channels that fire less than their share, and rises in the others; kernels are scaled
  back to their initial norm after each step.

A kernel moves by \eta times the mean change over the places that would be its share, relative to its norm; \eta follows
the schedule of the learning rate. AdamW has no part in it: it would give small changes the size of large ones.

Local: all hidden weights, without labels, but for the decorrelation and the competition, which need the other channels
of a layer. Trained by the gradient of the loss: the readout. Batch norm follows its
running statistics, with scale 1 and offset 0.
"""

from __future__ import annotations

import torch
from torch import nn

from .. import parallel
from .layers import blocks, weighted
from .readout import Readout

LEAK = 0.9  # of the membrane's potential kept a step
SHARE = 0.5  # of the places of a map that fire, once thresholds have settled
THRESHOLD_RATE = 0.05  # how fast they do, in units of the share
PLACES = 8  # of a map that a step looks at
SHRINKAGE = 0.01  # of the mean variance of channels, added to all when they are decorrelated


class STDP(Readout):
    """``spike_steps`` T, ``tau_plus``, ``tau_minus``, ``depression`` A and ``plasticity`` eta of the recipe."""

    def __init__(self, recipe, network):
        super().__init__(recipe, network)
        self.steps, self.tau_plus, self.tau_minus = recipe.spike_steps, recipe.tau_plus, recipe.tau_minus
        self.depression, self.plasticity, self.seed = recipe.depression, recipe.plasticity, recipe.seed
        layers = weighted(network)
        self.names = list(layers)[:-1]
        self.channels = dict(zip(layers, [3, *(len(layer.weight) for layer in layers.values())], strict=False))
        self.register_buffer("done", torch.zeros((), dtype=torch.int64))
        for name in self.names:
            weight = network.get_submodule(name).weight.requires_grad_(False)  # not the optimiser's
            self.register_buffer(f"{name}_norm", weight.flatten(1).norm(dim=1))
            self.register_buffer(f"{name}_threshold", torch.ones(len(weight)))
            self.register_buffer(f"{name}_fired", torch.zeros(len(weight)), persistent=False)
        self.asked: list[torch.Tensor] = []

    def hidden(self, network, inputs, pieces):
        self.asked = []
        for number, (name, part) in enumerate(list(blocks(network).items())[:-1]):
            self._plasticity(number, name, part[0], inputs, pieces)
            inputs = part(inputs)
        return inputs

    def _plasticity(self, number: int, name: str, layer: nn.Module, inputs: torch.Tensor, pieces: int) -> None:
        """Add one layer's change to what stands in place of its gradient."""
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + int(self.done)) * 101 + number)
        with torch.autocast(inputs.device.type, enabled=False):
            seen = windows(
                layer, decorrelated(parallel.at_least_single(inputs), self.channels[name]), PLACES, generator
            )
            if number == 0:
                seen = without_surround(seen, self.channels[name])
            weight = layer.weight.flatten(1)
            pre = latency_spikes(seen, self.steps)
            post = winners(pre @ (weight / weight.norm(dim=1, keepdim=True)).T, getattr(self, f"{name}_threshold"))
            change = pair_changes(pre, post, self.tau_plus, self.tau_minus, self.depression)
        change = (change - change.mean(0)).view_as(layer.weight) * (len(weight) / len(seen) / pieces)
        layer.weight.grad = -change if layer.weight.grad is None else layer.weight.grad - change
        getattr(self, f"{name}_fired").add_(post.sum((0, 1)) / len(seen) / pieces)
        self.asked.append(layer.weight.grad)

    def statistics(self):
        return [*self.asked, *(getattr(self, f"{name}_fired") for name in self.names)]

    @torch.no_grad()
    def after_step(self, network, rate):
        self.done += 1
        for name in self.names:
            fired, share = getattr(self, f"{name}_fired"), SHARE / len(getattr(self, f"{name}_fired"))
            getattr(self, f"{name}_threshold").add_(THRESHOLD_RATE * (fired / share - 1).clamp(max=3))
            fired.zero_()
            weight, size = network.get_submodule(name).weight, getattr(self, f"{name}_norm")
            moved = weight.flatten(1) - self.plasticity * rate * size.unsqueeze(1) * weight.grad.flatten(1)
            weight.copy_((moved * (size / moved.norm(dim=1)).unsqueeze(1)).view_as(weight))
            weight.grad = None


def decorrelated(inputs: torch.Tensor, channels: int) -> torch.Tensor:
    """Channels of mean 0, variance 1 and no correlation over images and places, as near as can be to what they were.

    (x - m) C^(-1/2), with the mean m and the covariance C of the batch, that of all processes.

    inputs : (b, channels, y, x), or (b, channels * places) for a layer that reads a flattened map.
    """
    maps = inputs.view(len(inputs), channels, -1)
    several = parallel.processes().number > 1
    mean = maps.mean((0, 2), keepdim=True)
    if several:
        parallel.average_([mean])
    flat = (maps - mean).transpose(0, 1).flatten(1)
    covariance = flat @ flat.T / flat.shape[1]
    if several:
        parallel.average_([covariance])
    variances, axes = torch.linalg.eigh(covariance)
    scale = (variances.clamp(min=0) + SHRINKAGE * variances.mean() + 1e-12).rsqrt()
    return ((axes * scale) @ axes.T @ flat).view(channels, len(inputs), -1).transpose(0, 1).reshape(inputs.shape)


def without_surround(seen: torch.Tensor, channels: int) -> torch.Tensor:
    """Windows (n, channels * places) less the mean of each channel over the window."""
    parts = seen.view(len(seen), channels, -1)
    return (parts - parts.mean(2, keepdim=True)).flatten(1)


def windows(layer: nn.Module, inputs: torch.Tensor, places: int, generator: torch.Generator) -> torch.Tensor:
    """What the kernels of a layer see at some places of every image, (images x places, inputs of a kernel).

    Zeros beyond the border. A linear layer has one place.
    """
    if isinstance(layer, nn.Linear):
        return inputs
    (pad_y, pad_x), (high, wide) = layer.padding, layer.kernel_size
    padded = nn.functional.pad(inputs, (pad_x, pad_x, pad_y, pad_y))
    views = padded.unfold(2, high, layer.stride[0]).unfold(3, wide, layer.stride[1])  # (b, c, y, x, high, wide)
    rows, columns = views.shape[2:4]
    where = torch.randint(rows * columns, (places,), generator=generator).to(inputs.device)
    return views[:, :, where // columns, where % columns].transpose(1, 2).reshape(len(inputs) * places, -1)


def latency_spikes(inputs: torch.Tensor, steps: int) -> torch.Tensor:
    """(n, d) activity -> (steps, n, d) spikes in {-1, 0, 1}, one at most a unit, the strongest of a row first."""
    size = 2 * inputs.square().mean(1, keepdim=True).sqrt().clamp(min=1e-12)
    time = (steps * (1 - (inputs.abs() / size).clamp(max=1))).floor()
    moments = torch.arange(steps, device=inputs.device).view(-1, 1, 1)
    return (time == moments) * inputs.sign()


def winners(drive: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
    """(steps, n, channels) input currents -> spikes of that shape, one at most in each row."""
    potential = torch.zeros_like(drive[0])
    quiet = torch.ones_like(drive[0][:, :1], dtype=torch.bool)
    fired = []
    for current in drive:
        potential = LEAK * potential + current
        above, who = (potential - threshold).max(dim=1, keepdim=True)
        fires = quiet & (above > 0)
        fired.append(torch.zeros_like(potential).scatter_(1, who, fires.to(potential.dtype)))
        quiet = quiet & ~fires
    return torch.stack(fired)


def pair_changes(
    pre: torch.Tensor, post: torch.Tensor, tau_plus: float, tau_minus: float, depression: float
) -> torch.Tensor:
    """Change of the weights (channels, d), summed over all pairs of spikes and all rows.

    pre : (T, n, d); post : (T, n, channels).

    With traces P(t) = sum_{t' < t} exp(-(t - t') / tau_+) pre(t') and Q(t), the same of post with tau_-, the sum over
    pairs is sum_t post(t) P(t) - A Q(t) pre(t).
    """
    inputs = torch.cat([trace(pre, tau_plus), pre]).flatten(0, 1)
    outputs = torch.cat([post, -depression * trace(post, tau_minus)]).flatten(0, 1)
    return outputs.T @ inputs


def trace(spikes: torch.Tensor, tau: float) -> torch.Tensor:
    """(T, ...): what is left at each moment of the spikes before it, exp(-age / tau) each."""
    decay, left, traces = torch.exp(torch.tensor(-1 / tau)).item(), torch.zeros_like(spikes[0]), []
    for now in spikes:
        traces.append(left)
        left = decay * (left + now)
    return torch.stack(traces)
