"""`granularity analyze <name>|all`: run analyses on a study, skip what is unchanged, write tables and figures."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import tyro

from brainscore_granularity.progress import say


def analyze(
    names: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="NAME|all ...")] = (),
    models: Annotated[tuple[str, ...], tyro.conf.arg(metavar="PATTERN ...")] = (),
    benchmarks: Annotated[tuple[str, ...], tyro.conf.arg(metavar="PATTERN ...")] = (),
    images: str | None = None,
    per_class: int | None = None,
    classes: int | None = None,
    runs: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FOLDER ...")] = (),
    results: Path = Path("results"),
    layers: tuple[str, ...] = (),
    components: int | None = None,
    pool: Annotated[tuple[str, ...], tyro.conf.arg(metavar="PATTERN ...")] = (),
    resamples: int = 1000,
    seed: int = 0,
    list: bool = False,
) -> None:
    """Ask why coarse training would help: tables, figures and one plain answer for each question.

    Writes RESULTS/analyses/NAME/: tables as CSV and Parquet, figures as SVG and PDF, and analysis.json with the
    question, how to read it, and the answer. Every model sees the images once, for all analyses. A rerun repeats only
    what has changed.

    Example: granularity analyze spectrum --models 'granularity_world_own_*' 'granularity_world_native_*'
    --benchmarks 'World.*-rsa'

    On images of your own, and on measured brains for 92 other images: granularity analyze all --models
    'granularity_tiny_*' --benchmarks 'Kriegeskorte2008.*' --images tiny_imagenet --per-class 10

    Args:
        names: Which analyses, or all; --list names them.
        models: Identifiers or shell patterns, of ours and of Brain-Score's own.
        benchmarks: Identifiers or shell patterns of our RSA benchmarks, all on the same images.
        images: Folder or zip of images (class/image), or name of a stimulus set; by default those of the benchmarks.
        per_class: Use only this many images of every class of a folder.
        classes: Use only the images of this many classes, drawn at random.
        runs: Folders of training runs, for analyses of training (dynamics, matched, objectives).
        results: Folder of results; analyses go below it.
        layers: Layers to analyse; by default all candidates.
        components: Number of principal components to analyse; by default as many as the images allow, up to a limit.
        pool: Models that predict the others in universality, the same for all of them.
        resamples: Number of resamples for intervals and null distributions.
        seed: Seed of all random choices.
        list: Only list the analyses and their questions.
    """
    from brainscore_granularity.analysis import base, snapshots
    from brainscore_granularity.analysis.images import find, some_classes
    from brainscore_granularity.analysis.settings import Settings
    from brainscore_granularity.analysis.study import Study
    from brainscore_granularity.brains import catalogue

    if list or not names:
        for name in base.NAMES:
            print(f"{name:16} {base.load(name).question}")
        return
    chosen = [base.load(name) for name in _expand(names, base.NAMES)]
    if not models and not runs:
        raise ValueError("which models? Give --models, such as --models 'granularity_world_*', or --runs")
    shown = find(images, per_class) if images else None
    if shown and classes is not None:
        shown = some_classes(shown, classes, seed)
    study = Study(
        trained(models) if models else [],
        shown,
        rsa_benchmarks(benchmarks),
        layers,
        Settings(components, resamples, seed, tuple(catalogue.select("models", [*pool]))),
        say=say,
        results=results,
        runs=snapshots.read_all(runs),
    )
    failed = run(chosen, study, results / "analyses", all_of_them="all" in names)
    if failed:
        raise SystemExit(1)


def trained(patterns) -> list[str]:
    """The models that match names or patterns; untrained ones that a pattern matches are left out and reported."""
    from brainscore_granularity.brains import catalogue
    from brainscore_granularity.weights.checkpoints import CheckpointError
    from brainscore_granularity.weights.find import commitment_of

    there, lacking = [], []
    for model in catalogue.select("models", [*patterns]):
        try:
            commitment_of(model)
        except CheckpointError:
            if model in patterns:
                raise
            lacking.append(model)
        else:
            there.append(model)
    if not there:
        raise ValueError(f"none of {len(lacking)} models is trained, such as {lacking[0]}: see `granularity models`")
    if lacking:
        say(f"left out, not trained yet: {len(lacking)} models, such as {lacking[0]}")
    return there


def rsa_benchmarks(patterns) -> list[str]:
    """Our RSA benchmarks that match names or patterns; others that a pattern also matches are left out."""
    from brainscore_granularity.brains import catalogue

    found = catalogue.select("benchmarks", [*patterns]) if patterns else []
    ours = set(catalogue.ours("benchmarks"))
    chosen = [name for name in found if name in ours and name.endswith("-rsa")]
    if patterns and not chosen:
        raise ValueError(f"{', '.join(found)}: analyses compare RDMs; choose benchmarks of ours that end in -rsa")
    return chosen


def run(chosen, study, folder: Path, all_of_them: bool = False) -> int:
    """Run analyses in turn; returns how many failed, without those that do not apply to the study (reported)."""
    from brainscore_granularity.analysis import output
    from brainscore_granularity.analysis.base import NotApplicable

    todo, failed = [], 0
    for analysis in chosen:
        inputs = output.inputs_of(analysis, study)
        if output.unchanged(folder / analysis.name, inputs):
            say(f"{analysis.name}: unchanged, in {folder / analysis.name}")
            _show(output.read(folder / analysis.name))
        else:
            todo.append((analysis, inputs))
    study.prepare(dict.fromkeys(kind for analysis, _ in todo for kind in analysis.needs))
    for number, (analysis, inputs) in enumerate(todo, start=1):
        say(f"{analysis.name} ({number}/{len(todo)}): {analysis.question}")
        start, processor = time.monotonic(), time.process_time()
        try:
            findings = analysis.run(study)
            figures = analysis.draw(findings)
        except NotApplicable as error:
            if not all_of_them:
                raise
            say(f"{analysis.name}: left out, {error}")
            continue
        except (ValueError, OSError, ImportError) as error:
            if not all_of_them:
                raise
            failed += 1
            say(f"{analysis.name}: failed, {' '.join(str(error).split())}")
            continue
        seconds, processor = time.monotonic() - start, time.process_time() - processor
        record = output.write(folder / analysis.name, analysis, study, findings, figures, inputs, _command(), seconds)
        close(figures)
        _show(record)
        say(f"{analysis.name}: {seconds:.0f} s ({processor:.0f} of processor time), in {folder / analysis.name}")
    return failed


def close(figures) -> None:
    """Free the memory of figures."""
    from matplotlib import pyplot as plt

    for figure, _ in figures.values():
        plt.close(figure)


def _expand(names, known) -> list[str]:
    return [*known] if "all" in names else [*dict.fromkeys(names)]


def _show(record: dict) -> None:
    mark = "SIMULATED: " if record["simulated"] else ""
    print(f"{record['name']}: {mark}{record['answer']}")
    for warning in record["warnings"]:
        print(f"  note: {warning}")


def _command() -> str:
    return shlex.join(["granularity", *sys.argv[1:]])
