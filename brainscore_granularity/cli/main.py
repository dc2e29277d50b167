"""The command line: `granularity <verb>`. Thin: every verb calls one function of the library."""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from brainscore_granularity.progress import say

from . import data as data_commands
from . import scaling as scaling_commands
from .analyze import analyze
from .labels import labels
from .report import report
from .score import commit, layers, score, show_results
from .submit import publish, submit
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
        say(f"no table of measured brains: {explain(error)}")
    print(f"\nscores: {to / 'results'}\nreport: {report}")


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


def doctor() -> None:
    """Check this installation and say what to do about each problem.

    Example: granularity doctor
    """
    from .doctor import check, show

    if not show(check()):
        raise SystemExit(1)


def data() -> None:
    """Fetch data from their owners, prepare what we may not distribute from their files, and list what is here.

    Example: granularity data status
    """  # does nothing itself: the verbs are below it


def completion(shell: Annotated[Literal["bash", "zsh"], tyro.conf.Positional] = "bash") -> None:
    """Print a script that lets a shell complete verbs, settings, and their values.

    For this shell: source <(granularity completion bash). For all shells: the same line in ~/.bashrc, or for zsh in
    ~/.zshrc.

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
    data: {"fetch": data_commands.fetch, "prepare": data_commands.prepare, "status": data_commands.status},
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
        say("interrupted. Finished work is kept; run the same command to continue.")
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        if debug:
            raise
        say(f"error: {explain(error)}")
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


if __name__ == "__main__":
    main()
