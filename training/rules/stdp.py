r"""Spike-timing-dependent plasticity in every hidden layer; the readout is trained by the gradient of the loss.

The neurons are the units of the network. It is evaluated with rates, as for any other rule; for learning, each layer
turns its inputs into spikes, at most one per unit: the stronger, the earlier (latency code, Thorpe & Gautrais 1998).
A step uses only a few places of each map: the same in all images of a batch, others in the next batch.

- Input a, its channels decorrelated by lateral inhibition M (below), and of the image less the mean of each channel in
  the window (surround): with s twice its root mean square in the window, spike at t = floor(T (1 - |a| / s)), none at
  t >= T. A negative input spikes in an OFF cell, whose weight is the negative of that of the ON cell.
- Leaky integration over T steps, v(t) = LEAK v(t - 1) + u . s(t) / |u|, kernel u and threshold \theta of each channel.
- Winner takes all: at each place only the channel furthest above its threshold fires, once, and silences the others
  for the rest of the image (Kheradpisheh et al. 2018).
- For every pair of spikes, with dt = t_post - t_pre (Bi & Poo 1998; Song, Miller & Abbott 2000):
  dt > 0: dw = exp(-dt / \tau_+);  dt < 0: dw = -A exp(dt / \tau_-);  dt = 0: nothing.
- Kernels compete for each input: the mean over kernels is subtracted from its changes, so that the sum of an input's
  weights stays the same (heterosynaptic competition, Fiete et al. 2010). Without it, all kernels become equal.
- Homeostasis: \theta falls in channels that fire less than their share, and rises in the others; kernels are scaled
  back to their initial norm after each step.

A kernel moves by \eta times the mean change over the places that would be its share, relative to its norm. With r the
schedule's share of the learning rate, \eta follows 2 r - 1 and ends at 0: kernels learn while r is above a half; then
only the readout learns, on fixed features. AdamW does not change kernels: it would make small changes as large as
large ones.

Lateral inhibition M = (C + mean variance of C)^(-1/2), with C the covariance of the channels of the last batches, makes
the strong directions of the input equal and leaves the weak ones weak (Falez et al. 2020 whiten patches). Inhibition
and surround are linear, so that the network's weights are W = u M, less the surround, each scaled to its initial norm:
what is evaluated are the rates of the neurons that learned. Kernels u begin as the network's initial weights.

Local: all hidden weights, without labels, but for inhibition and competition, which need the other channels of a layer.
Trained by the gradient of the loss: the readout. Batch norm follows its running statistics, with scale 1 and offset 0.
"""

from __future__ import annotations

import torch
from torch import nn

from ..loop import parallel
from .layers import blocks, weighted
from .readout import Readout

LEAK = 0.9  # share of the membrane potential that is kept per step
SHARE = 0.95  # target share of places that fire; at 0.5 kernels become alike
THRESHOLD_RATE = 0.02  # speed at which thresholds adapt; much faster, and winners become random
PLACES = 8  # places of each map that a step uses
MEMORY = 10  # batches over which the covariance is averaged


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
        self.register_buffer("speed", torch.ones(()))  # share of plasticity, set by the schedule
        for name in self.names:
            weight = network.get_submodule(name).weight.requires_grad_(False)  # changed below, not by the optimiser
            kernel, channels = weight.detach().flatten(1).clone(), self.channels[name]
            self.register_buffer(f"{name}_kernel", kernel)
            self.register_buffer(f"{name}_norm", kernel.norm(dim=1, keepdim=True))
            self.register_buffer(f"{name}_threshold", torch.ones(len(kernel)))
            self.register_buffer(f"{name}_covariance", torch.zeros(channels, channels))
            for passing, start in (
                ("inhibition", torch.eye(channels)),
                ("change", torch.zeros_like(kernel)),
                ("fired", torch.zeros(len(kernel))),
            ):
                self.register_buffer(f"{name}_{passing}", start, persistent=False)

    def of(self, name: str, *what: str) -> list[torch.Tensor]:
        """The buffers of a layer."""
        return [getattr(self, f"{name}_{each}") for each in what]

    def hidden(self, network, inputs, pieces):
        if not self.speed:
            return super().hidden(network, inputs, pieces)
        for number, (name, part) in enumerate(list(blocks(network).items())[:-1]):
            self._plasticity(number, name, part[0], inputs, pieces)
            inputs = part(inputs)
        return inputs

    def _plasticity(self, number: int, name: str, layer: nn.Module, inputs: torch.Tensor, pieces: int) -> None:
        """Add the change of one layer for this piece of the batch."""
        done = int(self.done)
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + done) * 101 + number)
        kernel, threshold, covariance, mixing, change, fired = self.of(
            name, "kernel", "threshold", "covariance", "inhibition", "change", "fired"
        )
        with torch.autocast(inputs.device.type, enabled=False):
            maps, now = spread(parallel.at_least_single(inputs), self.channels[name])
            covariance += (now - covariance) / min(done + 1, MEMORY)
            mixing.copy_(inhibition(covariance))
            seen = windows(layer, (mixing @ maps).view_as(inputs), PLACES, generator)
            if number == 0:
                seen = without_surround(seen, self.channels[name])
            pre = latency_spikes(seen, self.steps)
            post = winners(pre @ (kernel / kernel.norm(dim=1, keepdim=True)).T, threshold)
            asked = pair_changes(pre, post, self.tau_plus, self.tau_minus, self.depression)
        change += (asked - asked.mean(0)) * (len(kernel) / len(seen) / pieces)
        fired += post.sum((0, 1)) / len(seen) / pieces
        layer.weight.grad = -self._weights(number, name, change).view_as(layer.weight)  # for reports

    def _weights(self, number: int, name: str, kernel: torch.Tensor) -> torch.Tensor:
        """Weights u M without the surround, (kernels, d)."""
        (mixing,) = self.of(name, "inhibition")
        if number == 0:
            kernel = without_surround(kernel, len(mixing))
        return torch.einsum("kcp,cd->kdp", kernel.view(len(kernel), len(mixing), -1), mixing).flatten(1)

    def statistics(self):
        return [each for name in self.names for each in self.of(name, "change", "fired")]

    @torch.no_grad()
    def after_step(self, network, rate):
        self.done += 1
        speed = max(0.0, 2 * rate - 1)
        learns = bool(self.speed) and speed > 0  # there are changes, and the schedule still applies them
        self.speed.fill_(speed)
        for number, name in enumerate(self.names):
            kernel, size, threshold, change, fired = self.of(name, "kernel", "norm", "threshold", "change", "fired")
            weight = network.get_submodule(name).weight
            if learns:
                threshold += THRESHOLD_RATE * (fired * len(fired) / SHARE - 1).clamp(max=3)
                kernel += self.plasticity * self.speed * size * change
                kernel *= size / kernel.norm(dim=1, keepdim=True)
                moved = self._weights(number, name, kernel)
                weight.copy_((moved * (size / moved.norm(dim=1, keepdim=True))).view_as(weight))
            weight.grad = None
            change.zero_()
            fired.zero_()


def spread(inputs: torch.Tensor, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Maps minus their means (b, channels, places), and the covariance of their channels over all processes.

    inputs : (b, channels, y, x), with one mean per channel; or (b, channels * places) for a layer that reads a
    flattened map, with one mean per input.
    """
    maps = inputs.reshape(len(inputs), channels, -1)
    several = parallel.processes().number > 1
    mean = maps.mean((0, 2) if inputs.ndim == 4 else 0, keepdim=True)
    if several:
        parallel.average_([mean])
    maps = maps - mean
    flat = maps.transpose(0, 1).flatten(1)
    covariance = flat @ flat.T / flat.shape[1]
    if several:
        parallel.average_([covariance])
    return maps, covariance


def inhibition(covariance: torch.Tensor) -> torch.Tensor:
    """Lateral inhibition M = (C + mean variance of C)^(-1/2), (channels, channels)."""
    variances, axes = torch.linalg.eigh(covariance)
    return (axes * (variances.clamp(min=0) + variances.mean() + 1e-12).rsqrt()) @ axes.T


def without_surround(seen: torch.Tensor, channels: int) -> torch.Tensor:
    """Windows (n, channels * places) minus the mean of each channel over the window."""
    parts = seen.view(len(seen), channels, -1)
    return (parts - parts.mean(2, keepdim=True)).flatten(1)


def windows(layer: nn.Module, inputs: torch.Tensor, places: int, generator: torch.Generator) -> torch.Tensor:
    """Inputs of a layer's kernels at some places of every image, (images x places, inputs of a kernel).

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
    """Spikes (steps, n, d) in {-1, 0, 1} of activity (n, d): at most one per unit, the strongest of a row first."""
    size = 2 * inputs.square().mean(1, keepdim=True).sqrt().clamp(min=1e-12)
    time = (steps * (1 - (inputs.abs() / size).clamp(max=1))).floor()
    moments = torch.arange(steps, device=inputs.device).view(-1, 1, 1)
    return (time == moments) * inputs.sign()


def winners(drive: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
    """Spikes of the units with input currents (steps, n, channels), at most one in each of the n rows."""
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
    """Change of the weights (channels, d), summed over all pairs of spikes and all n rows.

    pre : (T, n, d); post : (T, n, channels).

    With traces P(t) = sum_{t' < t} exp(-(t - t') / tau_+) pre(t') and Q(t), the same of post with tau_-, the sum over
    pairs is sum_t post(t) P(t) - A Q(t) pre(t).
    """
    inputs = torch.cat([trace(pre, tau_plus), pre]).flatten(0, 1)
    outputs = torch.cat([post, -depression * trace(post, tau_minus)]).flatten(0, 1)
    return outputs.T @ inputs


def trace(spikes: torch.Tensor, tau: float) -> torch.Tensor:
    """Decaying trace (T, ...) of earlier spikes: the sum of exp(-age / tau) over them."""
    decay, left, traces = torch.exp(torch.tensor(-1 / tau)).item(), torch.zeros_like(spikes[0]), []
    for now in spikes:
        traces.append(left)
        left = decay * (left + now)
    return torch.stack(traces)
