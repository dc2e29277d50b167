"""The training loop: images in memory, augmentation in batches on the device, no host sync in a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch.nn import functional as F

from brainscore_granularity import networks

from .recipe import Recipe


class TrainingDiverged(RuntimeError):
    """The loss is not a number any more."""


def train(
    recipe: Recipe,
    images: np.ndarray,
    labels: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    on_epoch: Callable[[int, float], None] | None = None,
) -> tuple[networks.Network, dict]:
    """Train one network.

    Parameters
    ----------
    images : (n, size, size, 3) uint8.
    labels : (n,) integers below ``recipe.k``.
    validation : held-out images and labels; their accuracy is measured at the end.
    on_epoch : called after each epoch with its number, from 1, and its mean loss.

    Returns
    -------
    network : in evaluation mode, on the CPU.
    metrics : {"train_loss": per epoch, "validation_accuracy": float}.
    """
    check_labels(labels, len(images), recipe.k)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = networks.build(recipe.network, recipe.k, recipe.seed).to(device, memory_format=torch.channels_last)
    pixels = torch.from_numpy(images).to(device)
    targets = torch.from_numpy(np.asarray(labels, np.int64)).to(device)
    optimizer = torch.optim.AdamW(_parameter_groups(network, recipe.weight_decay), lr=recipe.learning_rate)
    steps_per_epoch = len(images) // recipe.batch_size
    if steps_per_epoch == 0:
        raise ValueError(f"{len(images)} images are fewer than one batch of {recipe.batch_size}")
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _rate(recipe, steps_per_epoch))

    losses = []
    for epoch in range(1, recipe.epochs + 1):
        network.train()
        epoch_loss = torch.zeros((), device=device)
        for batch, flip in _batches(len(images), recipe, epoch):
            inputs = normalise(torch.where(flip.to(device), pixels[batch].flip(2), pixels[batch]))
            loss = F.cross_entropy(network(inputs), targets[batch], label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
            optimizer.step()
            schedule.step()
            epoch_loss += loss.detach()
        losses.append(epoch_loss.item() / steps_per_epoch)
        if not math.isfinite(losses[-1]):
            raise TrainingDiverged(
                f"the loss became {losses[-1]} in epoch {epoch} at learning rate {recipe.learning_rate}; "
                "try a lower learning rate"
            )
        if on_epoch:
            on_epoch(epoch, losses[-1])

    network = network.cpu().eval()
    metrics: dict = {"train_loss": losses}
    if validation is not None:
        metrics["validation_accuracy"] = accuracy(network, *validation)
    return network, metrics


def check_labels(labels: np.ndarray, n_images: int, k: int) -> None:
    """Labels must name every image and use every class."""
    labels = np.asarray(labels)
    if labels.shape != (n_images,):
        raise ValueError(f"expected one label for each of {n_images} images, got {labels.shape}")
    empty = np.setdiff1d(np.arange(k), labels)
    if empty.size or labels.min() < 0 or labels.max() >= k:
        raise ValueError(
            f"labels must use every class 0..{k - 1}: found {labels.min()}..{labels.max()}, "
            f"{empty.size} classes have no image"
        )


def normalise(pixels: torch.Tensor) -> torch.Tensor:
    """(n, h, w, 3) uint8 -> (n, 3, h, w) float, ImageNet statistics, channels last in memory."""
    mean, std = (pixels.new_tensor(v, dtype=torch.float32) for v in (networks.IMAGENET_MEAN, networks.IMAGENET_STD))
    return ((pixels.float() / 255 - mean) / std).permute(0, 3, 1, 2)


@torch.no_grad()
def features(network: networks.Network, images: np.ndarray, layer: str | None = None, batch: int = 256):
    """Activations of one layer (default: the readout) for all images, (n, ...) float32."""
    network.eval()
    parts = [
        network.features(normalise(torch.from_numpy(images[i : i + batch])), layer).numpy()
        for i in range(0, len(images), batch)
    ]
    return np.concatenate(parts)


def accuracy(network: networks.Network, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of images whose largest logit is their label."""
    return float((features(network, images, "head").argmax(axis=1) == labels).mean())


def _batches(n: int, recipe: Recipe, epoch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Image numbers and flips of each batch; the last, incomplete batch is left out."""
    generator = torch.Generator().manual_seed(recipe.seed * 100_003 + epoch)
    order = torch.randperm(n, generator=generator)
    flips = torch.rand(n, 1, 1, 1, generator=generator) < 0.5
    for start in range(0, n - recipe.batch_size + 1, recipe.batch_size):
        part = slice(start, start + recipe.batch_size)
        yield order[part], flips[part]


def _rate(recipe: Recipe, steps_per_epoch: int) -> Callable[[int], float]:
    warmup, total = recipe.warmup_epochs * steps_per_epoch, recipe.epochs * steps_per_epoch

    def factor(step: int) -> float:
        if step < warmup:
            return 0.25 + 0.75 * step / warmup
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))
        return recipe.final_rate + (1 - recipe.final_rate) * cosine

    return factor


def _parameter_groups(network: torch.nn.Module, weight_decay: float) -> list[dict]:
    matrices = [p for p in network.parameters() if p.ndim >= 2]
    vectors = [p for p in network.parameters() if p.ndim < 2]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
