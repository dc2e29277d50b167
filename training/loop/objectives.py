"""Objectives: classes, two sets of classes, robust classes, or agreement of two views.

An objective is a module that holds what it needs beside the network (a second head, a teacher) and returns the loss
of one batch. All objectives use the same loop. ``views``: the normalised batch (b, 3, h, w), once or, for SimCLR and
DINO, in two augmentations; ``targets``: (b,) classes, (b, 2) fine and coarse classes, or for a regression
(b, k) real numbers.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import nn
from torch.nn import functional as F

from brainscore_granularity import networks

from ..recipe import Recipe
from .feed import local_side
from .head import head_name, head_of, hidden_and_logits, linear
from .parallel import at_least_single, gathered
from .regress import Regress

HIDDEN = 2048  # width of the projection heads of SimCLR and DINO


class Classify(nn.Module):
    """Cross-entropy on the network's own head; also the second stage of a curriculum."""

    def __init__(self, recipe: Recipe, network: nn.Module):
        super().__init__()
        self.smoothing = recipe.label_smoothing

    def forward(self, network: nn.Module, views: list[torch.Tensor], targets: torch.Tensor) -> torch.Tensor:
        return self.entropy(network(views[0]), targets)

    def entropy(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(at_least_single(logits), targets, label_smoothing=self.smoothing)

    def after_step(self, network: nn.Module, progress: float) -> None:
        """Called after every step with the share of training done; DINO updates its teacher here."""


class Auxiliary(Classify):
    """Fine loss + lambda x coarse loss on a second head that reads the same hidden layer."""

    def __init__(self, recipe: Recipe, network: nn.Module):
        super().__init__(recipe, network)
        self.weight = recipe.auxiliary_weight
        self.head = linear(head_of(network).in_features, recipe.auxiliary_k, recipe.seed)

    def forward(self, network, views, targets):
        hidden, logits = hidden_and_logits(network, views[0])
        fine, coarse = self.entropy(logits, targets[:, 0]), self.entropy(self.head(hidden), targets[:, 1])
        return fine + self.weight * coarse


class Adversarial(Classify):
    """Fast FGSM (Wong et al. 2020): one signed gradient step from a random start, then an ordinary step on the result.

    Epsilon and the step are sizes in pixel values 0..1; the perturbed image stays within epsilon and within 0..1.
    """

    def __init__(self, recipe: Recipe, network: nn.Module):
        super().__init__(recipe, network)
        self.epsilon, self.step = recipe.epsilon, recipe.attack_step

    def forward(self, network, views, targets):
        return super().forward(network, [self.attack(network, views[0], targets)], targets)

    def attack(self, network: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The perturbed batch, detached."""
        mean, std = (inputs.new_tensor(v).view(1, 3, 1, 1) for v in (networks.IMAGENET_MEAN, networks.IMAGENET_STD))
        lowest, highest = -mean / std, (1 - mean) / std
        epsilon, step = self.epsilon / std, self.step / std
        delta = ((torch.rand_like(inputs) * 2 - 1) * epsilon).requires_grad_()
        (gradient,) = torch.autograd.grad(self.entropy(network(inputs + delta), targets), delta)
        delta = (delta + step * gradient.sign()).clamp(-epsilon, epsilon)
        return (inputs + delta).clamp(lowest, highest).detach()


class SimCLR(nn.Module):
    """SimCLR (Chen et al. 2020): two views of an image attract, those of other images repel; NT-Xent, 2-layer head."""

    def __init__(self, recipe: Recipe, network: nn.Module):
        super().__init__()
        self.temperature = recipe.temperature
        width = head_of(network).in_features
        self.head = nn.Sequential(
            linear(width, HIDDEN, recipe.seed), nn.ReLU(), linear(HIDDEN, recipe.projection, recipe.seed + 1)
        )

    def forward(self, network, views, targets):
        hidden, _ = hidden_and_logits(network, torch.cat(views))
        projected = gathered(at_least_single(self.head(hidden)))  # (processes, 2 b, d)
        return nt_xent(projected.unflatten(1, (2, -1)).transpose(0, 1).flatten(0, 2), self.temperature)

    def after_step(self, network, progress):
        pass


def nt_xent(projected: torch.Tensor, temperature: float) -> torch.Tensor:
    """Normalised temperature-scaled cross-entropy.

    projected : (2 b, d), first views then second views. For view i with partner j,
    -log( exp(s_ij / T) / sum_{k != i} exp(s_ik / T) ) with s the cosine, averaged over all 2 b views.
    """
    n = len(projected)
    unit = F.normalize(projected, dim=1)
    similarity = (unit @ unit.T / temperature).masked_fill(
        torch.eye(n, dtype=torch.bool, device=projected.device), -math.inf
    )
    return F.cross_entropy(similarity, torch.arange(n, device=projected.device).roll(n // 2))


class DINO(nn.Module):
    """A student follows a teacher, its own running average, across views (Caron et al. 2021).

    The first two views are whole, the others local: small crops that only the student sees (multi-crop). For each view
    the student predicts the teacher's output for every other whole view. The teacher's outputs are centred and
    sharpened so that they do not collapse.
    """

    STUDENT_TEMPERATURE, TEACHER_TEMPERATURE, CENTRE_MOMENTUM = 0.1, 0.04, 0.9

    def __init__(self, recipe: Recipe, network: nn.Module):
        super().__init__()
        self.momentum = recipe.teacher_momentum
        width, seed = head_of(network).in_features, recipe.seed
        self.head = nn.Sequential(
            linear(width, HIDDEN, seed),
            nn.GELU(),
            linear(HIDDEN, 256, seed + 1),
            Prototypes(256, recipe.projection, seed),
        )
        if recipe.local_views:
            _require_any_size(network, recipe.network)
        self.teacher = copy.deepcopy(network).requires_grad_(False)
        self.teacher_head = copy.deepcopy(self.head).requires_grad_(False)
        self.register_buffer("centre", torch.zeros(1, recipe.projection))

    def forward(self, network, views, targets):
        with torch.no_grad():
            hidden, _ = hidden_and_logits(self.teacher, torch.cat(views[:2]))
            taught = at_least_single(self.teacher_head(hidden))
            goals = F.softmax((taught - self.centre) / self.TEACHER_TEMPERATURE, dim=1).chunk(2)
            self.centre.lerp_(gathered(taught.mean(dim=0, keepdim=True)).mean(dim=0), 1 - self.CENTRE_MOMENTUM)
        said = [answer for size in (views[:2], views[2:]) if size for answer in self._answers(network, size)]
        pairs = [(goals[i], answer) for i in (0, 1) for j, answer in enumerate(said) if i != j]
        return -sum((goal * answer).sum(dim=1).mean() for goal, answer in pairs) / len(pairs)

    def _answers(self, network, views):
        hidden, _ = hidden_and_logits(network, torch.cat(views))
        answers = at_least_single(self.head(hidden)) / self.STUDENT_TEMPERATURE
        return F.log_softmax(answers, dim=1).chunk(len(views))

    @torch.no_grad()
    def after_step(self, network, progress):
        momentum = 1 - (1 - self.momentum) * (1 + math.cos(math.pi * progress)) / 2
        for teacher, student in ((self.teacher, network), (self.teacher_head, self.head)):
            torch._foreach_lerp_(list(teacher.parameters()), list(student.parameters()), 1 - momentum)


@torch.no_grad()
def _require_any_size(network: nn.Module, name: str) -> None:
    side = local_side(network.image_size)
    training = network.training
    try:
        network.eval()(torch.zeros(1, 3, side, side))
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"{name} takes images of {network.image_size} pixels only, local views have {side}: set local_views to 0, "
            "or choose a network that pools at the end, such as resnet18"
        ) from error
    finally:
        network.train(training)


class Prototypes(nn.Module):
    """Cosine of each feature vector with each of a number of learned directions."""

    def __init__(self, width: int, number: int, seed: int):
        super().__init__()
        self.weight = linear(width, number, seed + 2).weight

    def forward(self, hidden):
        return F.linear(F.normalize(hidden, dim=-1), F.normalize(self.weight, dim=-1))


OBJECTIVES = {
    "classify": Classify,
    "regress": Regress,
    "curriculum": Classify,
    "auxiliary": Auxiliary,
    "adversarial": Adversarial,
    "simclr": SimCLR,
    "dino": DINO,
}
NEEDS_START = ("curriculum", "adversarial")  # these start from a trained network


def load_start(network: nn.Module, objective: str, start: dict[str, torch.Tensor]) -> None:
    """Load trained weights into a new network; a curriculum keeps the random weights of its new head."""
    prefix = head_name(network) + "."
    if objective == "curriculum":
        start = {name: t for name, t in start.items() if not name.startswith(prefix)}
    own = network.state_dict()
    wrong = [
        name
        for name in sorted({*own, *start})
        if not (objective == "curriculum" and name.startswith(prefix))
        and (name not in own or name not in start or own[name].shape != start[name].shape)
    ]
    if wrong:
        raise ValueError(
            f"the weights to start from are of another network: {', '.join(wrong[:3])} missing or of another shape "
            f"({len(wrong)} tensors in all). Start from a network of the same architecture"
            + (" and number of classes." if objective != "curriculum" else ".")
        )
    network.load_state_dict(start, strict=False)


def freeze(network: nn.Module, tune: str | None) -> list[nn.Module]:
    """Freeze the parts that a curriculum's ``tune`` does not train; returns them, to freeze their statistics too.

    ``head``: all but the last linear layer. ``late``: the first half of the layers, in the order of the network.
    """
    if tune in (None, "all"):
        return []
    head = head_of(network)
    parts = [m for m in network.modules() if m is not head and list(m.parameters(recurse=False))]
    fixed = parts if tune == "head" else parts[: (len(parts) + 1) // 2]
    for part in fixed:
        for parameter in part.parameters(recurse=False):
            parameter.requires_grad_(False)
    return fixed
