"""One network in training: its weights, optimiser, schedule and random stream, none shared with another network."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable

import torch
from torch import nn

from brainscore_granularity import networks

from ..recipe import Recipe
from ..rules import RULES
from . import objectives, parallel
from .lars import LARS

RANK_STRIDE = 1 << 60  # distance between the seeds of processes' random streams, so that they never overlap


class TrainingDiverged(RuntimeError):
    """The loss has become NaN or infinite."""


class OutOfMemory(RuntimeError):
    """A batch does not fit on the device; the message says which batch size would."""


class Learner:
    """A network and everything that changes with it.

    Parameters
    ----------
    steps_per_epoch : batches in one pass.
    start : initial weights, for the objectives that need a trained network.
    compile : let torch compile the forward pass (worth it on a GPU).
    processes : the processes that train this network together; each gives its share of a batch to `step`.

    Random numbers of step i come from a stream seeded with (seed, i): they depend neither on other networks nor on
    where a run was interrupted.
    """

    def __init__(
        self,
        recipe: Recipe,
        steps_per_epoch: int,
        device="cpu",
        start: dict | None = None,
        compile=False,
        processes: parallel.Processes = parallel.ALONE,
    ):
        self.processes = processes
        self.recipe, self.steps_per_epoch, self.device = recipe, steps_per_epoch, torch.device(device)
        self.total = recipe.epochs * steps_per_epoch
        self.network = networks.build(recipe.network, recipe.k, recipe.seed, recipe.dropout)
        if (start is None) == (recipe.objective in objectives.NEEDS_START):
            raise ValueError(
                f"objective {recipe.objective} "
                + ("needs the weights of a trained network to start from" if start is None else "takes no start")
            )
        if start is not None:
            objectives.load_start(self.network, recipe.objective, start)
        if processes.number > 1:
            parallel.share_batch_norm(self.network)
        self.frozen = objectives.freeze(self.network, recipe.tune)
        self.network = self.network.to(self.device, memory_format=torch.channels_last)
        self.objective = objectives.OBJECTIVES[recipe.objective](recipe, self.network).to(self.device)
        self.rule = RULES[recipe.rule](recipe, self.network)
        self.rule = self.rule.to(self.device, memory_format=torch.channels_last)
        self.parameters = [
            p for m in (self.network, self.objective, self.rule) for p in m.parameters() if p.requires_grad
        ]
        self.optimizer = _optimizer(recipe, self.parameters, self.device)
        self.rate = rate(recipe, steps_per_epoch)
        self.average = {n: t.clone() for n, t in self.network.state_dict().items()} if recipe.ema else None
        self.done = 0  # number of steps done
        self.losses: list[float] = []  # mean loss of each finished epoch
        self.epoch_loss = torch.zeros((), device=self.device)
        self._recent: list[torch.Tensor] = []  # (loss, gradient norm) of the steps since the last check
        if compile and recipe.rule != "backprop":
            raise ValueError(f"rule {recipe.rule} takes a network apart, which cannot be compiled; leave compile out")
        if compile:
            self.network.compile()

    def step(self, views: list[torch.Tensor], targets: torch.Tensor) -> None:
        """Train on one batch, without waiting for the device."""
        self.train_mode()
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * self.rate(self.done)
        self.optimizer.zero_grad(set_to_none=True)
        with self._stream():
            loss = self.backward(views, targets, self.recipe.accumulate)
        if self.processes.number > 1:
            gradients = [p.grad for p in self.parameters if p.grad is not None]
            parallel.average_([loss, *gradients, *self.rule.statistics()])
        norm = nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
        self.optimizer.step()
        self.rule.after_step(self.network, self.rate(self.done))
        self.done += 1
        self.objective.after_step(self.network, self.done / self.total)
        if self.average:
            self._follow()
        self.epoch_loss += loss
        self._recent.append(torch.stack([loss, norm]))

    def backward(self, views: list[torch.Tensor], targets: torch.Tensor, pieces: int) -> torch.Tensor:
        """Add the gradient of a batch, taken in pieces; returns its mean loss."""
        total = torch.zeros((), device=self.device)
        for *part, target in zip(*(v.chunk(pieces) for v in views), targets.chunk(pieces), strict=True):
            total += self.rule.learn(self.network, self.objective, part, target, pieces, self.low_precision())
        return total

    def low_precision(self):
        """The context that a forward pass runs in."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bfloat16")

    def check(self) -> float | None:
        """Mean loss since the last check; waits for the device, and raises if a loss is NaN or infinite."""
        if not self._recent:
            return None
        loss = float(self.verify()[:, 0].mean())
        self._recent.clear()
        return loss

    def verify(self) -> torch.Tensor:
        """Losses and gradient norms since the last check, (steps, 2); raises if one is NaN or infinite."""
        recent = torch.stack(self._recent).cpu() if self._recent else torch.zeros(0, 2)
        bad = ~torch.isfinite(recent).all(dim=1)
        if bad.any():
            first = int(bad.nonzero()[0])
            step = self.done - len(recent) + first + 1
            raise TrainingDiverged(
                f"the loss became {recent[first, 0]:.4g} and the gradient norm {recent[first, 1]:.4g} at step {step} "
                f"in epoch {math.ceil(step / self.steps_per_epoch)} at learning rate {self.recipe.learning_rate:g}; "
                "try a lower learning rate or a longer warm-up"
            )
        return recent

    def end_epoch(self) -> None:
        """Record the mean loss of the epoch."""
        self.losses.append(self.epoch_loss.item() / self.steps_per_epoch)
        self.epoch_loss.zero_()

    def train_mode(self) -> None:
        self.network.train()
        for part in self.frozen:
            part.training = False  # frozen parts keep their running statistics too

    def result(self) -> networks.Network:
        """The network with its current weights, on the CPU, in evaluation mode."""
        self.network.load_state_dict(self.weights())
        return self.network.cpu().eval()

    def weights(self) -> dict[str, torch.Tensor]:
        """Current weights: the running average if there is one."""
        return self.average or self.network.state_dict()

    def state(self) -> tuple[dict[str, torch.Tensor], dict]:
        """All that is needed to resume: tensors by name, and the position."""
        tensors = {"epoch_loss": self.epoch_loss}
        tensors |= {f"network/{n}": t for n, t in self.network.state_dict().items()}
        tensors |= {f"objective/{n}": t for n, t in self.objective.state_dict().items()}
        tensors |= {f"rule/{n}": t for n, t in self.rule.state_dict().items()}
        tensors |= {f"average/{n}": t for n, t in (self.average or {}).items()}
        for i, parameter in enumerate(self.parameters):
            kept = self.optimizer.state.get(parameter, {})
            tensors |= {f"optimizer/{i}/{n}": t for n, t in kept.items() if t is not None}
        if not all(torch.isfinite(t).all() for t in tensors.values()):
            raise TrainingDiverged(f"a weight is NaN or infinite after step {self.done}; try a lower learning rate")
        return tensors, {"done": self.done, "losses": self.losses, "recent": self.verify().tolist()}

    def load(self, tensors: dict[str, torch.Tensor], position: dict) -> None:
        """Restore a state."""
        parts = {"network": {}, "objective": {}, "rule": {}, "average": {}}
        for name, tensor in tensors.items():
            owner, _, rest = name.partition("/")
            if owner in parts:
                parts[owner][rest] = tensor
            elif owner == "optimizer":
                i, _, key = rest.partition("/")
                self.optimizer.state[self.parameters[int(i)]][key] = self._like(self.parameters[int(i)], tensor)
        self.network.load_state_dict(parts["network"])
        self.objective.load_state_dict(parts["objective"])
        self.rule.load_state_dict(parts["rule"])
        for name, tensor in parts["average"].items():
            self.average[name].copy_(tensor)
        self.epoch_loss.copy_(tensors["epoch_loss"])
        self.done, self.losses = position["done"], list(position["losses"])
        self._recent = [torch.tensor(pair, device=self.device) for pair in position.get("recent", [])]

    def _like(self, parameter, tensor):
        if tensor.shape == parameter.shape:
            return torch.empty_like(parameter, requires_grad=False).copy_(tensor)
        return tensor.to(self.device)  # a step counter of the optimiser

    def _follow(self) -> None:
        own = self.network.state_dict()
        smooth = [n for n, t in own.items() if t.is_floating_point()]
        torch._foreach_lerp_([self.average[n] for n in smooth], [own[n] for n in smooth], 1 - self.recipe.ema)
        for name in own.keys() - set(smooth):
            self.average[name].copy_(own[name])

    @contextlib.contextmanager
    def _stream(self):
        """Seed torch's global generators, which dropout uses, for this step; restore them afterwards."""
        seed = self.recipe.seed * 1_000_000_007 + self.done + self.processes.rank * RANK_STRIDE
        on_gpu = self.device.type == "cuda"
        with torch.random.fork_rng(devices=[self.device] if on_gpu else []):
            torch.default_generator.manual_seed(seed)
            if on_gpu:
                with torch.cuda.device(self.device):
                    torch.cuda.manual_seed(seed)
            yield


def rate(recipe: Recipe, steps_per_epoch: int) -> Callable[[int], float]:
    """Share of the learning rate at each step: a linear warm-up, then a cosine."""
    warmup, total = recipe.warmup_epochs * steps_per_epoch, recipe.epochs * steps_per_epoch

    def factor(step: int) -> float:
        if step < warmup:
            return recipe.first_rate + (1 - recipe.first_rate) * step / warmup
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))
        return recipe.final_rate + (1 - recipe.final_rate) * cosine

    return factor


def parameter_groups(parameters: list[torch.Tensor], weight_decay: float) -> list[dict]:
    """Weight decay for matrices and kernels, none for biases and norms."""
    matrices = [p for p in parameters if p.ndim >= 2]
    vectors = [p for p in parameters if p.ndim < 2]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _optimizer(recipe: Recipe, parameters: list[torch.Tensor], device: torch.device) -> torch.optim.Optimizer:
    groups = parameter_groups(parameters, recipe.weight_decay)
    fused = {"fused": True} if device.type == "cuda" else {}
    if recipe.optimizer == "lars":
        return LARS(groups, lr=recipe.learning_rate, momentum=recipe.momentum)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum, **fused)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, **fused)
