"""`granularity scaling fit | reproduce | plan | zoo`: each calls one function of the library and prints a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import tyro


def fit(
    table: Annotated[Path, tyro.conf.Positional],
    x: tuple[str, ...] = ("total_flops",),
    score: str = "score",
    law: str = "power",
    where: str | None = None,
    average: str | None = None,
    scale: float | None = None,
    model: str = "model_id",
    by: str = "model",
    resamples: int = 1000,
    seed: int = 0,
    compare: bool = False,
    figure: Path | None = None,
) -> None:
    """Fit a law to a table of scores: 1 - score against X, with intervals.

    A parameter that the data do not identify is reported as such, not as a number.

    Example: granularity scaling fit benchmark_scores.csv --x total_flops --scale 1e13 --where "region == 'IT'
    and dataset == 'imagenet' and not (is_pretrained or is_random or is_ssl or is_adv or is_ablation)"

    Args:
        table: CSV (also compressed) or Parquet, one row per score.
        x: Column of the independent variable; two for the joint law.
        score: Column of the scores.
        law: power, late, joint, free or log-linear.
        where: Condition on the columns that selects the rows to use.
        average: Column over which scores of a model are averaged first, such as region.
        scale: Unit of X in the equation; by default 1.
        model: Column with the model of a row; a seed at the end of the name is ignored.
        by: Resample models (model), or rows as the published fits do (row).
        resamples: Number of resamples for the 95% intervals.
        seed: Seed of the resamples.
        compare: Also fit each law (power, free, log-linear) below several values of X and predict the rows above.
        figure: Write the curve with its band as SVG.
    """
    from brainscore_granularity.analysis.scaling import comparison
    from brainscore_granularity.analysis.scaling.fitting import fit as fit_law
    from brainscore_granularity.analysis.scaling.table import average as mean
    from brainscore_granularity.analysis.scaling.table import points, read, require, select
    from brainscore_granularity.analysis.scaling.uncertainty import bootstrap, profile

    from . import scaling_tables

    frame = read(table)
    frame = select(frame, where) if where else frame
    if average:
        require(frame, [model, *x, score, average])
        frame = mean(frame[frame[score].notna()], [model, *x], score)
    chosen = points(frame, x if len(x) > 1 else x[0], score, 1.0 if scale is None else scale, model)
    found = fit_law(chosen, law)
    drawn = bootstrap(found, resamples, by, seed) if resamples else None
    scaling_tables.print_fit(found, drawn, profile(found))
    if compare:
        scaling_tables.print_comparison(
            comparison.compare(chosen), [comparison.extrapolate(chosen, name) for name in scaling_tables.LAWS]
        )
    if figure:
        from brainscore_granularity.analysis.scaling.figure import curve_figure
        from brainscore_granularity.paths import write_atomically

        write_atomically(figure, curve_figure([(found, drawn, law)]))


def reproduce(
    data: Path,
    only: tuple[str, ...] = (),
    resamples: int = 1000,
    csv: bool = False,
    page: Path | None = None,
    figures: Path | None = None,
) -> None:
    """Print the published fits (Gokce & Schrimpf 2025) against ours, from the public table.

    Example: granularity scaling reproduce --data scaling_laws

    Args:
        data: Folder of benchmark_scores.csv and published_fit_coefficients.csv.
        only: Names of fits; by default all 43.
        resamples: Number of row resamples for the intervals; 0 for no intervals, which takes seconds.
        csv: Comma-separated values instead of a table.
        page: Also write the table as Markdown.
        figures: Also write the figures of docs/scaling.md into this folder.
    """
    from brainscore_granularity.analysis.scaling.reproduction import reproduce as run
    from brainscore_granularity.paths import write_atomically

    from . import scaling_tables

    found = run(data, resamples, only or None, progress=lambda name: print(name, file=sys.stderr))
    if csv:
        found.to_csv(sys.stdout, index=False)
    else:
        scaling_tables.print_reproduction(found)
    if page:
        write_atomically(page, scaling_tables.markdown(found))
    if figures:
        from brainscore_granularity.analysis.scaling.figures import write_all

        for path in write_all(data, figures):
            print(path)


def plan(data: Path, budget: float, resamples: int = 200) -> None:
    """Suggest what to train for a compute budget, by the joint law in parameters and samples.

    Example: granularity scaling plan --data scaling_laws --budget 1e19

    Args:
        data: Folder of benchmark_scores.csv.
        budget: FLOPs of the whole training.
        resamples: Resamples of models for the intervals.
    """
    from brainscore_granularity.analysis.scaling.planning import plan as make

    from . import scaling_tables

    scaling_tables.print_plan(make(data, budget, resamples))


def zoo(
    results: Annotated[Path, tyro.conf.Positional] = Path("results"),
    axis: str = "classes",
    law: str = "free",
    resamples: int = 1000,
) -> None:
    """Fit the scores of our own models over classes, images per class, images seen, compute or accuracy.

    Example: granularity scaling zoo results --axis classes

    Args:
        results: Results folder of `granularity score`.
        axis: classes, images_per_class, samples_seen, total_flops or accuracy.
        law: power, late, free or log-linear; free also describes alignment that falls with the number of classes.
        resamples: Resamples of models for the intervals.
    """
    from brainscore_granularity.analysis.scaling.axis import over_axis

    from . import scaling_tables

    scaling_tables.print_axis(over_axis(results, axis, law, resamples))


VERBS = {"fit": fit, "reproduce": reproduce, "plan": plan, "zoo": zoo}


def scaling() -> None:
    """Scaling laws: how alignment grows with compute, data, parameters and classes.

    Example: granularity scaling reproduce --data scaling_laws
    """  # does nothing itself: the verbs are below it
