"""One run is one frozen dataclass; its id is the hash of everything that changes the result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. Every field is used by the loop; two equal recipes give equal weights."""

    network: str
    """Architecture, by its name in brainscore_granularity.networks."""
    labels: str
    """Where the classes come from, such as own, native or untrained."""
    k: int
    """Number of classes."""
    seed: int
    """Sets the initial weights and the order of the images."""
    epochs: int = 9
    batch_size: int = 128
    learning_rate: float = 4e-3
    weight_decay: float = 1e-3
    """Applied to tensors of two or more dimensions only."""
    label_smoothing: float = 0.1
    warmup_epochs: float = 1.0
    """The rate climbs from a quarter to the whole over these epochs, then follows a cosine."""
    final_rate: float = 0.05
    """Share of the learning rate left at the end."""
    clip: float = 1.0
    """Largest gradient norm."""

    def run_id(self, data_fingerprint: str) -> str:
        """Hash of this recipe and of the images and labels it is trained on."""
        content = json.dumps([asdict(self), data_fingerprint], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]
