"""The command line: `granularity <verb>`. Thin: every verb calls one function of the library."""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path
from typing import Annotated

import tyro

from .prepare import commands as data_commands
from .training.run import ladder, train


def demo(to: Path = Path(".")) -> None:
    """Answer the question on an embedded world: train, score through Brain-Score, report.

    Draws 6,144 images, trains 13 small networks on 2 to 64 classes (one of them only to define classes), chooses
    layers, scores them on simulated subjects with known answers, prints a table and writes results/,
    granularity.svg and report.html. Minutes on two cores; a second run repeats nothing.

    Example: granularity demo --to study

    Args:
        to: Folder for results/, granularity.svg and report.html.
    """
    from . import results
    from .report.terminal import print_world_table
    from .world.demo import run

    report = run(to)
    print_world_table(results.table(results.read_all(to / "results")))
    print(f"\nscores: {to / 'results'}\nreport: {report}")


def score(
    models: Annotated[list[str], tyro.conf.arg(metavar="PATTERN ...")],
    benchmarks: Annotated[list[str], tyro.conf.arg(metavar="PATTERN ...")],
    results: Path = Path("results"),
) -> None:
    """Score models on benchmarks through Brain-Score; only what is missing, failed or stale is computed.

    Example: granularity score --models 'granularity_world_own_*' pixels --benchmarks 'World.*'

    Args:
        models: Identifiers or shell patterns, of ours and of Brain-Score's own.
        benchmarks: Identifiers or shell patterns, of ours and of Brain-Score's own.
        results: Folder for the scores, one JSON file each.
    """
    from . import catalogue, runner
    from .report.terminal import print_scores

    chosen = catalogue.select("models", models), catalogue.select("benchmarks", benchmarks)
    scores = runner.score_grid(*chosen, results, warn=_say)
    print_scores(scores)
    failed = int((scores["status"] == "failed").sum())
    print(f"\n{len(scores) - failed} scored, {failed} failed; in {results}")
    if failed:
        raise SystemExit(1)


def show_results(folder: Annotated[Path, tyro.conf.Positional] = Path("results"), csv: bool = False) -> None:
    """Print the scores of a results folder.

    Example: granularity results results --csv > scores.csv

    Args:
        folder: The results folder.
        csv: Comma-separated values with every column instead of a table.
    """
    from . import results
    from .report.terminal import print_scores

    scores = results.table(results.read_all(folder, warn=_say))
    if csv:
        scores.to_csv(sys.stdout, index=False)
    else:
        print_scores(scores)


def models() -> None:
    """List our models and the state of each.

    Example: granularity models
    """
    from . import catalogue

    for name in catalogue.ours("models"):
        print(f"{name:40} {catalogue.model_state(name)}")


def benchmarks(ceilings: bool = False) -> None:
    """List our benchmarks: whether their data are here, images, subjects, and what a model records.

    Example: granularity benchmarks --ceilings

    Args:
        ceilings: Load the data that are here, and print images, subjects and noise ceilings as they are.
    """
    from . import catalogue

    for name in catalogue.ours("benchmarks"):
        print(f"{name:38} {catalogue.benchmark_state(name, ceilings)}")


def commit(
    models: Annotated[list[str], tyro.conf.Positional],
    selection: tuple[str, ...] = ("World_selection",),
    layers: tuple[str, ...] = (),
) -> None:
    """Choose the layers of models on selection stimuli, which are never used for scoring.

    Writes region_layer_map/ID.json, and the selection scores of every layer beside it: next to the checkpoints for our
    models, under $BRAINSCORE_GRANULARITY_HOME for Brain-Score's own, whose plugins would have to take the file over.

    Example: granularity commit granularity_world_own_k2_s1

    Args:
        models: Identifiers or shell patterns, of ours and of Brain-Score's own.
        selection: Where to choose: World_selection, or the train splits of Allen2022_fmri, Papale2025, Hebart2023_fmri
            and Hebart2023 (concepts, for behaviour). Of several, the first that has a region decides it.
        layers: Candidate layers; by default all that a model names.
    """
    from . import catalogue, commitment

    for name in catalogue.select("models", models):
        choice, path = commitment.recommit(name, selection, layers or None)
        print(f"{name}: {commitment.describe(choice)} -> {path}")


def layers(
    model: Annotated[str, tyro.conf.Positional],
    benchmark: Annotated[list[str], tyro.conf.arg(metavar="PATTERN ...")],
    layers: tuple[str, ...] = (),
    permutations: int = 999,
    csv: bool = False,
) -> None:
    """Score every layer of a model on benchmarks, per subject, one forward pass for all that show the same images.

    p is the chance that the best of all these layers scores as high if the stimuli are shuffled (max-statistic).

    Example: granularity layers granularity_world_own_k2_s1 --benchmark World.V1-rsa World.IT-rsa

    Args:
        model: Identifier, of ours or of Brain-Score's own.
        benchmark: Identifiers or shell patterns of our benchmarks.
        layers: Which layers; by default all that the model names as candidates.
        permutations: How many; the smallest p is 1 / (permutations + 1).
        csv: Comma-separated values instead of tables.
    """
    import pandas as pd
    from brainscore_vision import load_benchmark, load_model

    from . import catalogue
    from .layers import tables
    from .report.terminal import print_layers

    chosen = catalogue.select("benchmarks", benchmark)
    if foreign := set(chosen) - set(catalogue.ours("benchmarks")):
        raise catalogue.UnknownName(f"{min(foreign)} is Brain-Score's own: layers are scored on our benchmarks only")
    loaded = load_model(catalogue.select("models", [model])[0])
    frames = tables(loaded, [load_benchmark(name) for name in chosen], layers or None, permutations)
    if csv:
        named = [frame.assign(model=model, benchmark=frame.attrs["benchmark"]) for frame in frames]
        pd.concat(named).to_csv(sys.stdout, index=False)
    else:
        for frame in frames:
            print_layers(model, frame)


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
    parquet: bool = False,
) -> None:
    """Label images at every granularity, for `granularity train` and `granularity ladder` to use.

    Writes SOURCE_kK.csv (image, label), what made them and the principal components, and prints the class sizes and
    the images at both ends of each component.

    Example: granularity labels --data tiny_imagenet --source own --checkpoint granularity_tiny_native_s1

    Args:
        data: Images: a folder, a zip or a folder of zips, laid out split/class/image; or a pack made before.
        source: own (a network of yours), alexnet, clip, dino, vit, wordnet, random or permuted.
        recipe: Recipe that will train on the labels: it decides the size at which images are packed.
        k: Numbers of classes.
        checkpoint: For own: identifier of the network whose features are cut into classes.
        weights: For alexnet, clip, dino and vit: file of the pretrained weights; by default the library's cache.
        is_a: For wordnet: file of lines `parent child`.
        depth: For wordnet: how far below the root classes are merged.
        tables: For permuted: label tables to permute.
        seed: For random and permuted.
        images_per_class: Only this many images of every class.
        broken: What to do with images that cannot be read: fatal, or skip and list them.
        parquet: Write Parquet instead of CSV.
    """
    from .training import inputs, label_run
    from .training.recipes import named

    images = inputs.images(data, named(recipe, labels="native", k=1), images_per_class, 0, broken)
    given = {
        "checkpoint": checkpoint, "weights": weights, "is_a": is_a, "depth": depth, "tables": tables or None,
        "seed": seed,
    }  # fmt: skip
    suffix = ".parquet" if parquet else ".csv"
    label_run.make(source, images, inputs.label_folder(images), ladder=k, suffix=suffix, **given)


def data() -> None:
    """Prepare data that may not be shipped from the files of their owners, and see what is there.

    Example: granularity data status
    """  # what it does is up to the verbs in it


DESCRIPTION = """At what granularity must natural images be carved up for a network to become brain-like?

Start with `granularity demo`. Any verb takes --help for its settings and an example, and --debug for the traceback of
an error."""
VERBS = {
    "demo": demo,
    "train": train,
    "ladder": ladder,
    "labels": labels,
    "score": score,
    "results": show_results,
    "models": models,
    "benchmarks": benchmarks,
    "commit": commit,
    "layers": layers,
    "data": data,
    "doctor": doctor,
}
# Verbs that only lead to others.
INNER_VERBS = {
    data: {"prepare": data_commands.prepare, "status": data_commands.status},
    data_commands.prepare: data_commands.PREPARE,
}


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `granularity`: one clear line on an error, the traceback with --debug."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    _quiet_surroundings(doctor=arguments[:1] == ["doctor"])
    verbs, prog, description = VERBS, "granularity", DESCRIPTION
    while arguments and verbs.get(arguments[0]) in INNER_VERBS:
        outer = verbs[arguments[0]]
        verbs, prog, description = INNER_VERBS[outer], f"{prog} {arguments.pop(0)}", inspect.cleandoc(outer.__doc__)
    try:
        tyro.extras.subcommand_cli_from_dict(verbs, prog=prog, description=description, args=arguments)
    except KeyboardInterrupt:
        _say("interrupted. What was finished is kept; the same command goes on from there.")
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
    import warnings

    # Threads that spin while they wait make training ten times slower when another program is using a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TQDM_DISABLE", "1")  # Brain-Score's inner bars; ours show the time left
    if not doctor:  # which looks at the user's own setting
        os.environ.setdefault("BS_INSTALL_DEPENDENCIES", "no")  # Brain-Score would run pip at every load
    warnings.filterwarnings("ignore", message=".*should explicitly define __slots__", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
