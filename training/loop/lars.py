"""LARS (You et al. 2017, arXiv 1708.03888): descent with steps in proportion to the norm of each weight."""

from __future__ import annotations

import torch

TRUST = 1e-3


class LARS(torch.optim.Optimizer):
    """For a weight w with gradient g, weight decay b, learning rate r, momentum m and velocity v:

    v <- m v + r l (g + b w), w <- w - v, with l = TRUST |w| / (|g| + b |w|), or 1 where either norm is 0.

    Biases and norms, which have no weight decay here, take the plain step l = 1.
    """

    def __init__(self, parameters, lr: float, momentum: float):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            weights = [p for p in group["params"] if p.grad is not None]
            if not weights:
                continue
            gradients = [p.grad for p in weights]
            decay = group["weight_decay"]
            if decay:
                lengths, slopes = torch._foreach_norm(weights), torch._foreach_norm(gradients)
                ratios = [
                    torch.where((w > 0) & (g > 0), TRUST * w / (g + decay * w), 1.0)
                    for w, g in zip(lengths, slopes, strict=True)
                ]
                gradients = torch._foreach_add(gradients, weights, alpha=decay)
                gradients = torch._foreach_mul(gradients, ratios)
            for p in weights:
                if "velocity" not in self.state[p]:
                    self.state[p]["velocity"] = torch.zeros_like(p)
            velocities = [self.state[p]["velocity"] for p in weights]
            torch._foreach_mul_(velocities, group["momentum"])
            torch._foreach_add_(velocities, gradients, alpha=group["lr"])
            torch._foreach_sub_(weights, velocities)
