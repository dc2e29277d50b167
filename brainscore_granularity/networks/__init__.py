"""Networks by name: pure torch, every candidate layer is a named module. One file per family of architectures."""

from .base import Branched, Network
from .by_name import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    NETWORKS,
    PATTERNS,
    build,
    constructor,
    count,
    initialise,
    seeded,
    set_dropout,
    with_weights,
    without_weights,
)

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "NETWORKS",
    "PATTERNS",
    "Branched",
    "Network",
    "build",
    "constructor",
    "count",
    "initialise",
    "seeded",
    "set_dropout",
    "with_weights",
    "without_weights",
]
