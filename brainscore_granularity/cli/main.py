"""The command line: `granularity <verb>`. Thin: every verb calls one function of the library."""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from . import data as data_commands
from . import scaling as scaling_commands
from .analyze import analyze
from .report import report
from .train import fit, ladder, train


def demo(to: Path = Path(".")) -> None:
    """Answer the question on an embedded world: train, score through Brain-Score, report.

    Draws 6,144 images, trains 13 small networks on 2 to 64 classes (one of them only to define classes), chooses
    layers, scores them on simulated subjects with known answers, prints a table and writes results/,
    granularity.svg and report.html. This takes minutes on two cores; a second run repeats nothing. At the end the
    shipped networks, trained on photographs, are scored on measured brains: 92 images with macaque spiking, human
    fMRI and human judgments (5 MB, downloaded once).

    Example: granularity demo --to study

    Args:
        to: Folder for results/, granularity.svg and report.html.
    """
    from brainscore_granularity.runner import results
    from brainscore_granularity.world.demo import measured, run

    from .tables import print_scales_table, print_world_table

    report = run(to)
    print_world_table(results.table(results.read_all(to / "results")))
    try:
        print_scales_table(measured(to))
    except OSError as error:  # the 92 images are not here and cannot be downloaded
        _say(f"no table of measured brains: {explain(error)}")
    print(f"\nscores: {to / 'results'}\nreport: {report}")


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
        layers: Score the committed layers only (committed); also every candidate layer (all); or also the layer that is
            best on the other half of the images (cv), shown by `granularity results --layers cv`.
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
        walltime: Time limit of each job, as the queueing system writes it.
        queue: Queue or partition of the jobs.
        interface: Network interface of this computer that the jobs can reach, such as ib0.
        timeout: Seconds that a pair may take; starts a worker process, because only that can be stopped.
        retries: How often to try a pair again whose worker was lost.
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

        print_plan(*runner.preview(*chosen, results, _say, **how), workers or 1)
        return
    where = None
    if workers or cluster or scheduler:
        where = Workers(workers or 1, cluster, scheduler, cores, memory, walltime, queue, interface, results / "logs")
    elif given := [k for k, v in dict(cores=cores, memory=memory, walltime=walltime, queue=queue).items() if v]:
        raise ValueError(f"--{given[0]} is for workers: add --workers N, --cluster or --scheduler")
    scores = runner.score_grid(*chosen, results, warn=_say, workers=where, limits=Limits(timeout, retries), **how)
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
        watch_matrix(folder, every, _say)
        return
    records = results.read_all(folder, warn=_say)
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


def models(patterns: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PATTERN")] = ()) -> None:
    """List our models and the state of each; given names or patterns, also how to get those that are not here.

    Example: granularity models granularity_imagenet_clip_k8_s1

    Args:
        patterns: Identifiers or shell patterns; by default all of ours.
    """
    from brainscore_granularity.brains import catalogue

    ours = catalogue.ours("models")
    chosen = [name for name in catalogue.select("models", list(patterns)) if name in ours] if patterns else ours
    unready = 0
    for name in chosen:
        state, how = catalogue.model_state(name)
        unready += how is not None
        print(f"{name:40} {state}")
        if patterns and how:
            print(f"{'':4}{how}")
    if unready and not patterns:
        print(f"\n{unready} cannot be loaded yet; `granularity models NAME` says how to get one.")


def benchmarks(ceilings: bool = False) -> None:
    """List our benchmarks: whether their data are here, images, subjects, and what a model records.

    Example: granularity benchmarks --ceilings

    Args:
        ceilings: Load the data that are on this computer, and print their images, subjects and noise ceilings.
    """
    from brainscore_granularity.brains import catalogue

    for name in catalogue.ours("benchmarks"):
        print(f"{name:38} {catalogue.benchmark_state(name, ceilings)}")


def commit(
    models: Annotated[list[str], tyro.conf.Positional],
    selection: tuple[str, ...] = ("World_selection",),
    layers: tuple[str, ...] = (),
    by_depth: bool = False,
) -> None:
    """Choose the layers of models on selection stimuli, which are never used for scoring.

    Writes region_layer_map/ID.json, and the selection scores of every layer beside it: for our models next to the
    checkpoints; for Brain-Score's own under $BRAINSCORE_GRANULARITY_HOME, from where the file can be copied into the
    model's plugin.

    Example: granularity commit granularity_world_own_k2_s1

    Args:
        models: Identifiers or shell patterns, of ours and of Brain-Score's own.
        selection: Where to choose: World_selection, or the train splits of Allen2022_fmri, Papale2025, Hebart2023_fmri
            and Hebart2023 (concepts, for behaviour). If several are given, the first that has a region decides it.
        layers: Candidate layers; by default all that a model names.
        by_depth: Choose without stimuli: V1, V2, V4 and IT are the convolutional stages at relative depths .25, .5, .75
            and 1 of our model, behaviour is its readout.
    """
    from brainscore_granularity.brains import catalogue, commitment

    if by_depth and layers:
        raise ValueError("--by-depth takes the layers of its rule; leave out --layers")
    for name in catalogue.select("models", models):
        choice, path = commitment.by_depth(name) if by_depth else commitment.recommit(name, selection, layers or None)
        print(f"{name}: {commitment.describe(choice)} -> {path}")


def layers(
    model: Annotated[str, tyro.conf.Positional],
    benchmark: Annotated[list[str], tyro.conf.arg(metavar="PATTERN ...")],
    layers: tuple[str, ...] = (),
    permutations: int = 999,
    csv: bool = False,
    cross_validate: bool = False,
    splits: int = 200,
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
    """
    import pandas as pd
    from brainscore_vision import load_benchmark, load_model

    from brainscore_granularity.brains import catalogue
    from brainscore_granularity.brains.layers import tables

    from .tables import print_layers

    chosen = catalogue.select("benchmarks", benchmark)
    if foreign := set(chosen) - set(catalogue.ours("benchmarks")):
        raise catalogue.UnknownName(f"{min(foreign)} is Brain-Score's own: layers are scored on our benchmarks only")
    loaded = load_model(catalogue.select("models", [model])[0])
    if cross_validate:
        from .cross_validated import show

        show(model, loaded, [load_benchmark(name) for name in chosen], layers or None, splits, csv)
        return
    frames = tables(loaded, [load_benchmark(name) for name in chosen], layers or None, permutations)
    if csv:
        named = [frame.assign(model=model, benchmark=frame.attrs["benchmark"]) for frame in frames]
        pd.concat(named).to_csv(sys.stdout, index=False)
    else:
        for frame in frames:
            print_layers(model, frame)


def publish(
    folder: Annotated[Path, tyro.conf.Positional],
    models: Annotated[list[str], tyro.conf.arg(metavar="PATTERN ...")],
    base_url: str | None = None,
) -> None:
    """Copy weights in half precision to a folder, check them, and write the manifest that lets others load them by id.

    Upload the folder, then put its weights.toml beside the model plugin, or send it to those who will use the models:
    in $BRAINSCORE_GRANULARITY_HOME it makes `load_model` fetch them.

    Example: granularity publish zoo --models 'granularity_imagenet_clip_*' --base-url https://example.org/zoo

    Args:
        folder: Where the copies go.
        models: Identifiers or shell patterns of our models whose weights are on this computer.
        base_url: Address below which the files will be found; without it no manifest is written.
    """
    from brainscore_granularity.brains import catalogue
    from brainscore_granularity.weights import manifest
    from brainscore_granularity.weights.checkpoints import Fitted, Untrained
    from brainscore_granularity.weights.find import checkpoint_of

    chosen = [checkpoint_of(name) for name in catalogue.select("models", models)]
    copies = manifest.publish(folder, [c for c in chosen if not isinstance(c, Untrained | Fitted)], base_url)
    for copy in copies:
        print(f"{copy.weights} ({copy.weights.stat().st_size / 1e6:.1f} MB)")
    if base_url:
        print(f"manifest: {folder / manifest.MANIFEST}")


def submit(
    model: Annotated[str | None, tyro.conf.Positional] = None,
    to: Path = Path("submission"),
    weights_url: str | None = None,
    name: str | None = None,
    check: tuple[Path, ...] | None = None,
    benchmark: str | None = None,
) -> None:
    """Make a zip for submission to the Brain-Score website, and check in a new environment that it works.

    With --benchmark, lay out the files of a pull request instead.

    Example: granularity submit granularity_tiny_own_k8_s1 --check

    Args:
        model: Identifier of one of our models.
        to: Folder for the zip.
        weights_url: Address of the weights file, which is written to the folder for you to upload.
        name: Identifier on the leaderboard; by default the model's own.
        check: Test the new zip, or the zip named here, in an environment that has only Brain-Score. This runs the zip's
            code.
        benchmark: One of our benchmarks; its plugin, data, tests and references are written in Brain-Score's layout.
    """
    from brainscore_granularity.submission import check as checking
    from brainscore_granularity.submission import make as command

    if benchmark:
        if model or check is not None or weights_url or name:
            raise ValueError("--benchmark lays out a pull request and goes with --to only")
        place = command.lay_out(benchmark, to)
        print(f"{place}: copy brainscore_vision/ over a checkout of Brain-Score; what is missing is in its README.md")
        return
    if not (model or check):
        raise ValueError(
            "name a model to submit, a benchmark (--benchmark B), or a zip to check: granularity submit --check ZIP"
        )
    zips = list(check or ())
    if not zips:
        zips = [command.make(model, to, name, weights_url)]
        print(f"{zips[0]} ({zips[0].stat().st_size / 1e6:.2f} MB)")
    if check is not None:
        for path in zips:
            checking.check(path, model)
    print("next: docs/submission.md says where to upload it and what to expect")


def doctor() -> None:
    """Check this installation and say what to do about each problem.

    Example: granularity doctor
    """
    from .doctor import check, show

    if not show(check()):
        raise SystemExit(1)


def labels(
    data: Path,
    source: str = "own",
    recipe: str = "tiny",
    k: tuple[int, ...] = (2, 4, 8, 16, 32, 64),
    checkpoint: str | None = None,
    weights: Path | None = None,
    is_a: Path | None = None,
    depth: int | None = None,
    tables: tuple[Path, ...] = (),
    seed: int | None = None,
    images_per_class: int | None = None,
    broken: str = "fatal",
    validation: str = "auto",
    parquet: bool = False,
) -> None:
    """Label images at every granularity, for `granularity train` and `granularity ladder` to use.

    Writes SOURCE_kK.csv (image, label), with _sSEED if the labels depend on a seed, or scores for distilled; their
    description; and the principal components. Prints the class sizes and the images at both ends of each component.

    Example: granularity labels --data tiny_imagenet --source own --checkpoint granularity_tiny_native_s1

    Args:
        data: Images: a folder, a zip or a folder of zips, laid out split/class/image; or a pack made before.
        source: Principal components of own (a network of yours), alexnet, clip, dino, lite0 or vit; of untrainedpcs
            (an untrained network), pixels, or the minor ones of lite0, 7 to 12; native classes merged at random
            (merged) or along WordNet (wordnet); random, permuted; or distilled, lite0's scores to be regressed.
        recipe: Recipe that will train on the labels: it decides the size at which images are packed.
        k: Numbers of classes.
        checkpoint: For own: identifier of the network whose features are cut into classes.
        weights: For alexnet, clip, dino, lite0 and vit: file of the pretrained weights; by default the library's cache.
        is_a: For wordnet: file of lines `parent child`, or WordNet's own data.noun.
        depth: For wordnet: how far below the root classes are merged, in place of k.
        tables: For permuted: label tables to permute.
        seed: For random, permuted, merged and untrainedpcs: seed of the random choices.
        images_per_class: Use only this many images of every class.
        broken: What to do with images that cannot be read: fatal, or skip and list them.
        validation: Images to label by the same rule, so that training can measure accuracy on them: auto (a val or
            test split where the data has one), the name of a split, or none.
        parquet: Write Parquet instead of CSV.
    """
    from brainscore_granularity.training.labels.make import from_disk

    images = {"images_per_class": images_per_class, "broken": broken, "validation": validation}
    given = {"weights": weights, "is_a": is_a, "depth": depth, "tables": tables, "seed": seed}
    suffix = ".parquet" if parquet else ".csv"
    from_disk(data, source, recipe, **images, ladder=k, checkpoint=checkpoint, **given, suffix=suffix, say=print)


def data() -> None:
    """Prepare data that we may not distribute from their owners' files, and list what is prepared.

    Example: granularity data status
    """  # has no work of its own, only the verbs below it


def completion(shell: Annotated[Literal["bash", "zsh"], tyro.conf.Positional] = "bash") -> None:
    """Print a script that lets a shell complete verbs, settings, their values, models and benchmarks.

    For this shell: source <(granularity completion bash). For all shells: the same line in ~/.bashrc, or for zsh in
    ~/.zshrc. The script knows the models and benchmarks that existed when it was made.

    Example: granularity completion bash > granularity_completion.bash

    Args:
        shell: The shell, bash or zsh.
    """
    from .completion import script

    print(script(shell, VERBS, INNER_VERBS), end="")


DESCRIPTION = """At what granularity must natural images be carved up for a network to become brain-like?

Start with `granularity demo`. Any verb takes --debug for the traceback of an error."""
GROUPS = {
    "first steps": {"demo": demo, "doctor": doctor, "models": models, "benchmarks": benchmarks},
    "score": {"score": score, "results": show_results, "report": report, "commit": commit, "layers": layers},
    "train": {"train": train, "labels": labels, "ladder": ladder, "fit": fit},
    "explain": {"analyze": analyze, "scaling": scaling_commands.scaling},
    "data and weights": {"data": data, "publish": publish, "submit": submit},
    "shell": {"completion": completion},
}
VERBS = {name: verb for group in GROUPS.values() for name, verb in group.items()}
# Verbs that only contain other verbs.
INNER_VERBS = {
    data: {"prepare": data_commands.prepare, "status": data_commands.status},
    data_commands.prepare: data_commands.PREPARE,
    scaling_commands.scaling: scaling_commands.VERBS,
}


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `granularity`: one clear line on an error, the traceback with --debug."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    _quiet_surroundings(doctor=arguments[:1] == ["doctor"])
    verbs, prog, description, groups = VERBS, "granularity", DESCRIPTION, GROUPS
    while arguments and verbs.get(arguments[0]) in INNER_VERBS:
        outer = verbs[arguments[0]]
        verbs, prog, description = INNER_VERBS[outer], f"{prog} {arguments.pop(0)}", inspect.cleandoc(outer.__doc__)
        groups = {"": verbs}
    try:
        if not arguments or arguments[0] in ("--help", "-h"):
            from .overview import overview

            print(overview(prog, description, groups), flush=True)
            return
        tyro.extras.subcommand_cli_from_dict(verbs, prog=prog, description=description, args=arguments)
    except KeyboardInterrupt:
        _say("interrupted. Finished work is kept; run the same command to continue.")
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        if debug:
            raise
        _say(f"error: {explain(error)}")
        raise SystemExit(1) from None


def explain(error: Exception) -> str:
    """One line that says what went wrong and where."""
    import errno

    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left while writing {error.filename or 'a file'}. Free some and run the command again."
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return (
            f"cannot write {error.filename}: {error.strerror}. Choose another folder with --to, --results or "
            "$BRAINSCORE_GRANULARITY_HOME."
        )
    text = " ".join(str(error).split()) or type(error).__name__
    known = type(error).__module__.startswith("brainscore_granularity") or isinstance(
        error, (OSError, ValueError, ImportError)
    )
    return text if known else f"{type(error).__name__}: {text} (--debug shows where)"


def _quiet_surroundings(doctor: bool) -> None:
    """Settings that must be made before torch, tqdm and Brain-Score are imported."""
    from brainscore_granularity.runner.environment import settle

    pip_at_load = os.environ.get("BS_INSTALL_DEPENDENCIES")
    settle()
    if doctor and pip_at_load is None:
        del os.environ["BS_INSTALL_DEPENDENCIES"]  # doctor reports the user's own setting


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
