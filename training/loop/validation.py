"""Accuracy on validation images, measured while a network trains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .feed import normalise
from .learner import Learner

BATCH = 256


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Validation images, and the class of each."""

    images: object
    """(n, size, size, 3) uint8, or a pack."""
    labels: np.ndarray
    """(n,) integers, numbered as the training labels are."""

    def __post_init__(self):
        if len(self.labels) != len(self.images) or not len(self.labels):
            raise ValueError(
                f"expected one label for each of {len(self.images)} validation images, got {len(self.labels)}"
            )


@torch.no_grad()
def accuracy(learner: Learner, held_out: HeldOut) -> float:
    """Share of held-out images that the current weights classify correctly, in the precision of the training.

    Training is not affected: running statistics, random streams and weights stay unchanged.
    """
    pixels, network = getattr(held_out.images, "pixels", held_out.images), learner.network.eval()
    labels = torch.from_numpy(np.asarray(held_out.labels, np.int64)).to(learner.device)
    right = torch.zeros((), dtype=torch.int64, device=learner.device)
    for start in range(0, len(labels), BATCH):
        inputs = normalise(torch.from_numpy(np.array(pixels[start : start + BATCH])).to(learner.device))
        with learner.low_precision():
            if learner.average:
                logits = torch.func.functional_call(network, learner.average, (inputs,))
            else:
                logits = network(inputs)
        right += (logits.argmax(dim=1) == labels[start : start + BATCH]).sum()
    return right.item() / len(labels)
