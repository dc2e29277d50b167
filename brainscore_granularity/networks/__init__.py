"""Networks by name: pure torch, every candidate layer a named module. One family of architectures a file."""

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
]
