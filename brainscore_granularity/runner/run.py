"""Models x benchmarks -> scores, through Brain-Score's own loading and scoring."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from brainscore_granularity.progress import progress

from . import grid, results
from .clusters import Workers
from .dispatch import Limits
from .local import in_process
from .session import Session

if TYPE_CHECKING:
    import pandas


def score_grid(
    models: Iterable[str],
    benchmarks: Iterable[str],
    folder: Path | str = "results",
    warn: Callable[[str], None] = print,
    *,
    all_layers: bool = False,
    splits: int = 0,
    leave_out: bool = False,
    offline: bool = False,
    workers: Workers | None = None,
    limits: Limits = Limits(),  # noqa: B008  frozen
) -> pandas.DataFrame:
    """Score every model on every benchmark; a rerun computes only what is missing, failed or stale.

    Each pair goes through what ``brainscore_vision.score`` does (load_model, load_benchmark, score_benchmark), so the
    values are the same to the last bit; see `session` for what is shared between pairs. A pair that fails is recorded
    with its reason, and the others are scored. A score is stale when the checkpoint, the layer commitment or the
    benchmark's version has changed.

    Parameters
    ----------
    models, benchmarks : Brain-Score identifiers.
    folder : where the results are; one JSON file a score. Several runners may use one folder at once.
    warn : called with a line for every problem.
    all_layers : score every candidate layer of each model too, not only the committed ones.
    splits : number of random halves of the stimuli over which the choice of the layer is cross-validated; see
        `brains.cross_validation`. The result is stored beside the committed layer's score, in a separate field.
    leave_out : if a model's layer was chosen on some of the stimuli, leave these out (at least half must remain);
        otherwise such a pair fails.
    offline : download nothing; pairs that need a download are recorded as failed.
    workers : where to score; by default in this process. A score is the same everywhere.
    limits : time limit and retries of a pair; these apply to workers only.

    Returns
    -------
    The tidy table of this grid, see `results.table`.
    """
    models, benchmarks, folder = list(models), list(benchmarks), Path(folder)
    settings = offline, all_layers, splits, leave_out
    session = Session(*settings)
    plan = grid.plan(models, benchmarks, folder, session, warn)
    for record in plan.unloadable:
        results.write(folder, record)
        warn(f"{record['model']} on {record['benchmark']} failed: {record['reason']}")

    def wanted(model: str, name: str) -> bool:
        return grid.why(folder, model, name, session) is not None

    if workers is None and limits.timeout is not None:
        workers = Workers(1)
    if workers is None:
        run(plan.by_model, folder, in_process(session), wanted, warn)
    elif plan.todo:
        from . import clusters, dispatch

        with clusters.workers(workers) as pool:
            run(plan.by_model, folder, dispatch.on_workers(pool, limits, *settings), wanted, warn)
    records = (results.read(folder, model, name, warn) for model in models for name in benchmarks)
    return results.table([record for record in records if record is not None])


def preview(
    models, benchmarks, folder, warn=print, *, all_layers=False, splits=0, leave_out=False, offline=False
) -> tuple[grid.Plan, dict]:
    """What `score_grid` would do, and the estimated cost of each pair that it would score; nothing is scored."""
    from .estimate import costs

    session, folder = Session(offline, all_layers, splits, leave_out), Path(folder)
    plan = grid.plan(models, benchmarks, folder, session, warn, look_for_data=True)
    records = results.read_all(folder, warn) if folder.is_dir() else []
    return plan, costs(plan.todo, records, session)


def run(by_model: dict[str, list[str]], folder: Path, engine: Callable, wanted: Callable, warn: Callable) -> None:
    """Score all pairs of ``by_model`` and write each record as soon as it is made."""
    failed = 0
    with progress("scoring", sum(map(len, by_model.values()))) as advance:

        def note(model, name):
            return f"{model} on {name}" + (f", {failed} failed" if failed else "")

        for record in engine(by_model, wanted, lambda model, name: advance(note(model, name), 0)):
            if record is None:
                advance("scored by another runner")
                continue
            results.write(folder, record)
            if record["status"] == "failed":
                failed += 1
                warn(f"{record['model']} on {record['benchmark']} failed: {record['reason']}")
            advance(note(record["model"], record["benchmark"]))
