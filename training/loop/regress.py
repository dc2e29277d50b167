"""Regression: the outputs of the network are real numbers, such as principal-component scores, instead of classes."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ..recipe import Recipe
from .parallel import at_least_single


class Regress(nn.Module):
    """Mean squared error, averaged over images and targets; predicting the mean of standardised targets costs 1."""

    def __init__(self, recipe: Recipe, network: nn.Module):
        super().__init__()

    def forward(self, network: nn.Module, views: list[torch.Tensor], targets: torch.Tensor) -> torch.Tensor:
        return F.mse_loss(at_least_single(network(views[0])), targets)

    def after_step(self, network: nn.Module, progress: float) -> None:
        """Do nothing."""


def as_targets(labels: np.ndarray) -> torch.Tensor:
    """Classes as int64, real numbers as float32."""
    labels = np.asarray(labels)
    return torch.from_numpy(np.asarray(labels, np.float32 if labels.dtype.kind == "f" else np.int64))


def check_scores(scores: np.ndarray, n_images: int, recipe: Recipe) -> None:
    """Raise unless the targets of a regression are finite real numbers, ``recipe.k`` for every image."""
    scores = np.asarray(scores)
    if scores.shape != (n_images, recipe.k) or scores.dtype.kind != "f":
        raise ValueError(
            f"objective regress: expected real numbers of shape {(n_images, recipe.k)} (images, k), got "
            f"{scores.dtype} {scores.shape}. Use targets such as those of `granularity labels --source distilled`"
        )
    if not np.isfinite(scores).all():
        bad = int((~np.isfinite(scores)).any(axis=1).sum())
        raise ValueError(f"{bad} of {n_images} images have targets that are NaN or infinite; write the scores again")
