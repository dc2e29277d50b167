"""Progress with time left: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINE_EVERY_SECONDS = 15


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[..., None]]:
    """Show the progress of ``total`` steps; yields ``advance(note="")``, to be called after each step.

    On a terminal a bar with the time left; elsewhere (a job's log, a pipe) a plain line now and then.
    """
    if total == 0:
        yield lambda note="": None
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
        yield lambda note="": bar.update(task, advance=1, note=note)


def _lines(title, total):
    start = shown = time.monotonic()
    done = 0

    def advance(note=""):
        nonlocal done, shown
        done += 1
        now = time.monotonic()
        if done == total or now - shown >= LINE_EVERY_SECONDS:
            shown = now
            left = (now - start) / done * (total - done)
            when = f"{left:.0f} s left" if done < total else f"done in {now - start:.0f} s"
            print(f"{title}: {done}/{total}, {when}" + (f" ({note})" if note else ""), file=sys.stderr, flush=True)

    return advance
