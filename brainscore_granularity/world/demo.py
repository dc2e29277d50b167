"""The embedded study from images to report: `granularity demo`."""

from __future__ import annotations

from pathlib import Path

from .. import checkpoints, commitment, plugins, results, runner
from ..progress import progress
from . import study

BENCHMARKS = tuple(name for name in plugins.registrations("benchmarks") if name.startswith("World"))


def run(folder: Path) -> Path:
    """Train, commit, score and report; a second run does nothing twice. Returns the path of the report."""
    from ..report.page import write_world_report

    store = checkpoints.default_store()
    with progress("training networks", study.total_epochs()) as advance:
        study.train(store, on_epoch=advance)
    commit_all(store)
    scores = runner.score_grid(study.MODELS, BENCHMARKS, folder / "results")
    report = folder / "report.html"
    records = [
        record
        for record in results.read_all(folder / "results")
        if record["model"] in study.MODELS and record["benchmark"] in BENCHMARKS
    ]
    write_world_report(scores, records, report)
    return report


def commit_all(store: Path) -> None:
    """Commit layers of every network of the study whose weights have no commitment yet."""
    models = [checkpoints.find(name, store) for name in study.MODELS]
    pending = [checkpoint for checkpoint in models if not commitment.is_committed(checkpoint)]
    with progress("choosing layers", len(pending)) as advance:
        for checkpoint in pending:
            commitment.save(checkpoint, *commitment.commit(checkpoint))
            advance(checkpoint.identifier)
