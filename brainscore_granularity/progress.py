"""Messages of long computations on stderr: progress with the remaining time, and notes to the user."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINE_EVERY_SECONDS = 15


def say(line: str) -> None:
    """Print a line for the user on stderr; above the progress bar, if one is shown."""
    print(line, file=sys.stderr, flush=True)  # rich redirects stderr while it draws a bar


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[..., None]]:
    """Show the progress of ``total`` steps; yields ``advance(note="", steps=1)``, to be called after each step.

    With ``steps=0`` only the note changes, to name the step that begins.

    A terminal shows a bar with the remaining time; elsewhere (log of a job, pipe) a plain line is printed sometimes.
    """
    if total == 0:
        yield lambda note="", steps=1: None
    elif sys.stderr.isatty():
        with _bar(title, total) as advance:
            yield advance
    else:
        yield _lines(title, total)


@contextmanager
def _bar(title, total):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", style="dim"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total, note="")
        yield lambda note="", steps=1: bar.update(task, advance=steps, note=note)


def _lines(title, total):
    start = shown = time.monotonic()
    done = 0

    def advance(note="", steps=1):
        nonlocal done, shown
        done += steps
        now = time.monotonic()
        if (done == total and steps) or now - shown >= LINE_EVERY_SECONDS:
            shown = now
            left = f"{(now - start) / done * (total - done):.0f} s left" if done else f"{now - start:.0f} s so far"
            when = left if done < total else f"done in {now - start:.0f} s"
            say(f"{title}: {done}/{total}, {when}" + (f" ({note})" if note else ""))

    return advance
