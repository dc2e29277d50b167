"""`granularity score`, `results`, `layers` and `commit`: models on benchmarks, and the layers they commit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from brainscore_granularity.progress import say


def score(
    models: Annotated[list[str], tyro.conf.arg(metavar="PATTERN ...")],
    benchmarks: Annotated[list[str], tyro.conf.arg(metavar="PATTERN ...")],
    results: Path = Path("results"),
    layers: Literal["committed", "all", "cv"] = "committed",
    splits: int = 200,
    shared: Literal["refuse", "leave-out"] = "refuse",
    offline: bool = False,
    dry_run: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    scheduler: str | None = None,
    cores: int | None = None,
    memory: str | None = None,
    walltime: str | None = None,
    queue: str | None = None,
    interface: str | None = None,
    timeout: float | None = None,
    retries: int = 1,
) -> None:
    """Score models on benchmarks through Brain-Score; only what is missing, failed or stale is computed.

    Example: granularity score --models 'granularity_world_own_*' pixels --benchmarks 'World.*'

    To see what would be done, and its cost: add --dry-run. Two processes on this computer: add --workers 2
    --timeout 3600. On a cluster: add --cluster slurm --workers 20 --cores 4 --memory 16GB --walltime 04:00:00.

    Args:
        models: Identifiers or shell patterns, of ours and of Brain-Score's own.
        benchmarks: Identifiers or shell patterns, of ours and of Brain-Score's own.
        results: Folder for the scores, one JSON file each.
        layers: Score the committed layers only (committed); also every candidate layer (all); or also, on each half of
            the images, the layer that is best on the other half (cv), shown by `granularity results --layers cv`.
        splits: For --layers cv: number of random splits of the images into halves.
        shared: If a layer was chosen on pictures or concepts of a benchmark: refuse the score, or leave these out if
            half of the benchmark remains.
        offline: Download nothing; what would need to be downloaded is reported.
        dry_run: Only show which pairs are done, which would be scored and why, and an estimate of time and memory.
        workers: Score in this many worker processes or jobs; without it, in this process.
        cluster: Queueing system whose jobs are the workers: slurm, pbs, lsf, sge, oar, htcondor or moab.
        scheduler: Address of a running Dask scheduler whose workers are used, such as tcp://10.0.0.1:8786.
        cores: Processor cores for each worker.
        memory: Memory for each worker, such as 4GB; a worker that needs more is stopped, and its pair fails.
        walltime: Time limit of each job, in the format of the queueing system.
        queue: Queue or partition of the jobs.
        interface: Network interface of this computer that the jobs can reach, such as ib0.
        timeout: Seconds that a pair may take; starts a worker process, because only that can be stopped.
        retries: How often to try a pair again if its worker was lost.
    """
    from brainscore_granularity import runner
    from brainscore_granularity.brains import catalogue
    from brainscore_granularity.runner.clusters import Workers
    from brainscore_granularity.runner.dispatch import Limits

    from .tables import print_grid

    chosen = catalogue.select("models", models), catalogue.select("benchmarks", benchmarks)
    how = {
        "all_layers": layers == "all", "splits": splits if layers == "cv" else 0, "leave_out": shared == "leave-out",
        "offline": offline,
    }  # fmt: skip
    if dry_run:
        from .plan import print_plan

        print_plan(*runner.preview(*chosen, results, say, **how), workers or 1)
        return
    where = None
    if workers or cluster or scheduler:
        where = Workers(workers or 1, cluster, scheduler, cores, memory, walltime, queue, interface, results / "logs")
    elif given := [k for k, v in dict(cores=cores, memory=memory, walltime=walltime, queue=queue).items() if v]:
        raise ValueError(f"--{given[0]} is for workers: add --workers N, --cluster or --scheduler")
    scores = runner.score_grid(*chosen, results, warn=say, workers=where, limits=Limits(timeout, retries), **how)
    if layers == "cv":
        print(f"committed layers; chosen on the other half of the images: granularity results {results} --layers cv")
    print_grid(scores)
    failed = scores[scores["status"] == "failed"]
    missing = int(failed["reason"].fillna("").str.startswith(("DataMissing", "Offline")).sum())
    done = len(scores) - len(failed)
    print(f"\n{done} scored, {len(failed)} failed" + (f" ({missing} lack data)" if missing else ""), end="")
    print(f"; in {results}")
    if len(failed):
        print(f"reasons: granularity results {results} --failed; the same command tries them again")
        raise SystemExit(1)
    print(f"next: granularity results {results} --csv > scores.csv")


def show_results(
    folder: Annotated[Path, tyro.conf.Positional] = Path("results"),
    csv: bool = False,
    parquet: Path | None = None,
    layers: Literal["committed", "cv"] = "committed",
    watch: bool = False,
    failed: bool = False,
    every: float = 5.0,
) -> None:
    """Show the scores of a results folder: models by benchmarks, or a tidy table of every subject and layer.

    Example: granularity results results --csv > scores.csv

    Args:
        folder: The results folder.
        csv: Comma-separated values: one row for each score, subject and layer, with its provenance.
        parquet: Write the same table to this file.
        layers: Scores of the committed layers, or those of `granularity score --layers cv`: the layer is chosen on half
            of the images and scored on the other half.
        watch: Show the matrix again whenever scores arrive, until interrupted.
        failed: Only the failed pairs, with their reasons.
        every: Seconds between checks of the folder, for --watch.
    """
    from brainscore_granularity.runner import results

    from .tables import print_failed, print_matrix, watch_matrix

    if watch:
        watch_matrix(folder, every, say)
        return
    records = results.read_all(folder, warn=say)
    if layers == "cv":
        records = results.cross_validated(records)
        if not records:
            raise ValueError(f"no score in {folder} is cross-validated; score with `granularity score --layers cv`")
    if parquet is not None:
        results.long_table(records).to_parquet(parquet, index=False)
        print(f"{len(records)} scores -> {parquet}")
    elif csv:
        results.long_table(records).to_csv(sys.stdout, index=False)
    elif failed:
        print_failed(records)
    else:
        print_matrix(results.table(records))


def layers(
    model: Annotated[str, tyro.conf.Positional],
    benchmark: Annotated[list[str], tyro.conf.arg(metavar="PATTERN ...")],
    layers: tuple[str, ...] = (),
    permutations: int = 999,
    csv: bool = False,
    cross_validate: bool = False,
    splits: int = 200,
    scaling: Literal["none", "z-score"] | None = None,
) -> None:
    """Score every layer of a model on benchmarks, per subject; benchmarks with the same images share a forward pass.

    p is the chance that the best of all these layers scores as high if the stimuli are shuffled (max-statistic).

    Example: granularity layers granularity_world_own_k2_s1 --benchmark World.V1-rsa World.IT-rsa

    Args:
        model: Identifier, of ours or of Brain-Score's own.
        benchmark: Identifiers or shell patterns of our benchmarks.
        layers: Which layers; by default all that the model names as candidates.
        permutations: Number of permutations; the smallest possible p is 1 / (permutations + 1).
        csv: Comma-separated values instead of tables.
        cross_validate: Instead, choose the layer on half of the images and score it on the other half. Prints the score
            of this procedure, with an interval that includes the choice, and how often each layer was chosen.
        splits: For --cross-validate: number of random splits into halves.
        scaling: Compare features as they are (none) or each z-scored over the images; by default as the benchmark does.
    """
    import pandas as pd
    from brainscore_vision import load_benchmark, load_model

    from brainscore_granularity.brains import catalogue
    from brainscore_granularity.brains.layers import tables

    from .tables import print_layers

    chosen = catalogue.select("benchmarks", benchmark)
    if foreign := set(chosen) - set(catalogue.ours("benchmarks")):
        raise catalogue.UnknownName(f"{min(foreign)} is Brain-Score's own: layers are scored on our benchmarks only")
    benchmarks = [load_benchmark(name) for name in chosen]
    if scaling:
        benchmarks = [each.scaled(scaling) for each in benchmarks]
    loaded = load_model(catalogue.select("models", [model])[0])
    if cross_validate:
        from .cross_validated import show

        show(model, loaded, benchmarks, layers or None, splits, csv)
        return
    frames = tables(loaded, benchmarks, layers or None, permutations)
    if csv:
        about = ("benchmark", "scaling")
        named = [frame.assign(model=model, **{name: frame.attrs[name] for name in about}) for frame in frames]
        pd.concat(named).to_csv(sys.stdout, index=False)
    else:
        for frame in frames:
            print_layers(model, frame)


def commit(
    models: Annotated[list[str], tyro.conf.Positional],
    selection: tuple[str, ...] = ("World_selection",),
    layers: tuple[str, ...] = (),
    by_depth: bool = False,
) -> None:
    """Choose the layers of models on selection stimuli, which are never used for scoring.

    Writes region_layer_map/ID.json, and next to it the selection scores of every layer: for our models in the folder of
    the checkpoints; for Brain-Score's own in $BRAINSCORE_GRANULARITY_HOME, from where the file can be copied into the
    model's plugin.

    Example: granularity commit granularity_world_own_k2_s1

    Args:
        models: Identifiers or shell patterns, of ours and of Brain-Score's own.
        selection: Where to choose: World_selection; the train splits of Allen2022_fmri, Papale2025, Hebart2023_fmri,
            Zerbe2026_fmri and Hebart2023 (concepts, for behaviour); Cowley2023 (V4); or Cichy2016 (118 images) to score
            on the 92 of Cichy2014 and Kriegeskorte2008, Cichy2014 to score on the 118. If several are given, the first
            that has a region decides it.
        layers: Candidate layers; by default all that a model names.
        by_depth: Choose without stimuli: V1, V2, V4 and IT are the convolutional stages at relative depths .25, .5, .75
            and 1 of one of our models, behaviour is its readout.
    """
    from brainscore_granularity.brains import catalogue, commitment

    if by_depth and layers:
        raise ValueError("--by-depth takes the layers of its rule; leave out --layers")
    for name in catalogue.select("models", models):
        choice, path = commitment.by_depth(name) if by_depth else commitment.recommit(name, selection, layers or None)
        print(f"{name}: {commitment.describe(choice)} -> {path}")
