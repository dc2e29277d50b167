"""`granularity report`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Literal

import tyro


def report(
    folder: Annotated[Path, tyro.conf.Positional] = Path("results"),
    after: Annotated[Path | None, tyro.conf.Positional] = None,
    to: Path = Path("report.html"),
    layers: Literal["committed", "cv"] = "committed",
    watch: bool = False,
    every: float = 10.0,
) -> None:
    """Write one self-contained page on a results folder: the answer, figures, tables, analyses, models, provenance.

    Example: granularity report results --to report.html

    With two folders, the page shows the second, and what changed since the first, by how much, and whether beyond
    noise. While a grid is running: add --watch.

    Args:
        folder: The results folder.
        after: A later results folder, to compare with the first.
        to: The file to write.
        layers: Scores of the committed layers, or of `granularity score --layers cv`: chosen on half of the images and
            scored on the other half.
        watch: Write the page again whenever scores arrive, until interrupted; an open page reloads itself.
        every: Seconds between checks of the folder, for --watch.
    """
    from brainscore_granularity.report.page import write_report

    def say(line: str) -> None:
        print(line, flush=True)

    current, before = (after, folder) if after else (folder, None)
    seen = None
    while True:
        state = _state(current)
        if state != seen:
            answer = write_report(current, to, before=before, reload=every if watch else None, warn=say, layers=layers)
            if not watch:
                say(f"{answer}\n\nreport: {to} ({to.stat().st_size / 1e6:.1f} MB)")
                return
            say(f"{time.strftime('%H:%M:%S')} {state[0]} scores -> {to}")
            seen = state
        time.sleep(every)


def _state(folder: Path) -> tuple[int, int]:
    """Number of files of a results folder, and the time of the newest change."""
    times = [path.stat().st_mtime_ns for path in (*folder.glob("*/*.json"), *folder.glob("analyses/*/*.json"))]
    return len(times), max(times, default=0)
