"""`make weights`: train the shipped networks of the embedded world and commit their layers, in their plugin."""

from __future__ import annotations

import sys
from pathlib import Path


def main(plugin: Path) -> None:
    """Make the weights, label axes and layer maps in a plugin's folder; current ones are kept."""
    from brainscore_granularity.world.demo import train_and_commit

    train_and_commit(plugin / "weights")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
