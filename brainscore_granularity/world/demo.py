"""The embedded study from images to report: `granularity demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from brainscore_granularity import plugins, runner
from brainscore_granularity.brains import commitment
from brainscore_granularity.paths import write_atomically
from brainscore_granularity.progress import progress
from brainscore_granularity.weights import checkpoints, layer_map

from . import study

if TYPE_CHECKING:
    import pandas as pd

BENCHMARKS = tuple(name for name in plugins.registrations("benchmarks") if name.startswith("World"))


def run(folder: Path) -> Path:
    """Train, commit, score and report; a second run skips what is done. Returns the path of the report."""
    from brainscore_granularity.report import require_matplotlib
    from brainscore_granularity.report.granularity_figure import world_figure
    from brainscore_granularity.report.page import write_report

    require_matplotlib()
    train_and_commit(checkpoints.default_store())
    scores = runner.score_grid(study.MODELS, BENCHMARKS, folder / "results")
    figure, report = world_figure(scores), folder / "report.html"
    write_atomically(folder / "granularity.svg", figure)
    write_report(folder / "results", report)
    return report


def measured(folder: Path) -> pd.DataFrame:
    """Scores of the shipped networks that were trained on photographs, on the 92 images with measured brains."""
    from brainscore_vision import load_stimulus_set

    from brainscore_granularity.report.measures import ONE_IMAGE_SET
    from brainscore_granularity.report.page import write_report

    load_stimulus_set("Kriegeskorte2008")  # fails here, before any scoring, if the images cannot be downloaded
    models = [name for name in plugins.registrations("models") if name.startswith("granularity_tiny_")]
    scores = runner.score_grid(models, ONE_IMAGE_SET.values(), folder / "results")
    write_report(folder / "results", folder / "report.html")  # again, with measured brains
    return scores


def train_and_commit(store: Path) -> None:
    """Train every network of the study that the store lacks, and commit the layers of those without a layer map."""
    with progress("training networks", study.total_epochs()) as advance:
        study.train(store, on_epoch=advance)
    models = [checkpoints.read(store, name) for name in study.MODELS]
    pending = [checkpoint for checkpoint in models if not layer_map.is_for(checkpoint, commitment.SELECTION_VERSION)]
    with progress("choosing layers", len(pending)) as advance:
        for checkpoint in pending:
            commitment.save(checkpoint, *commitment.commit(checkpoint))
            advance(checkpoint.identifier)
