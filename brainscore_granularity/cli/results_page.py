"""`make results`: score the shipped networks on one image set, fill the page of results and draw its figure."""

from __future__ import annotations

import sys
from pathlib import Path


def main(folder: Path, page: Path, figure: Path) -> None:
    """Score missing pairs into ``folder``; write the blocks of ``page`` and the figure."""
    from brainscore_granularity import runner
    from brainscore_granularity.brains import catalogue
    from brainscore_granularity.report import one_image_set
    from brainscore_granularity.report.measures import ONE_IMAGE_SET

    models = catalogue.select("models", ["granularity_tiny_*_s1"])  # trained ones have one seed
    one_image_set.write(runner.score_grid(models, ONE_IMAGE_SET.values(), folder), page, figure, models)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
