"""What a run reports while it trains: progress on the screen, a curve on disk.

The curve is ``log.csv`` in the run's folder and, where the tensorboard package is installed, its event files beside
it (``tensorboard --logdir``).
"""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brainscore_granularity.paths import write_atomically
from brainscore_granularity.progress import progress

COLUMNS = ("step", "epoch", "loss", "learning_rate", "images_per_second", "validation_accuracy")
WHOLE = ("step", "epoch")
OPTIONAL = "validation_accuracy"  # measured at the end of an epoch, where there are validation images


class Curve:
    """The curve of one run. Rows after step ``done``, which a crashed run wrote after its last save, are dropped."""

    def __init__(self, folder: Path, done: int):
        self.path = folder / "log.csv"
        kept = [row for row in read(self.path) if row["step"] <= done]
        lines = [",".join(COLUMNS), *(",".join("" if row[c] is None else str(row[c]) for c in COLUMNS) for row in kept)]
        write_atomically(self.path, "\n".join(lines) + "\n")
        self._board = _tensorboard(folder, done)

    def add(
        self,
        step: int,
        epoch: int,
        loss: float,
        learning_rate: float,
        images_per_second: float,
        validation_accuracy: float | None = None,
    ) -> None:
        """Append one row."""
        known = "" if validation_accuracy is None else f"{validation_accuracy:.6g}"
        with open(self.path, "a") as file:
            file.write(f"{step},{epoch},{loss:.6g},{learning_rate:.6g},{images_per_second:.1f},{known}\n")
        if self._board:
            values = (epoch, loss, learning_rate, images_per_second, validation_accuracy)
            for name, value in zip(COLUMNS[1:], values, strict=True):
                if value is not None:
                    self._board.add_scalar(name, value, step)

    def close(self) -> None:
        if self._board:
            self._board.close()


def read(path: Path) -> list[dict]:
    """The rows of a log.csv; a last row that a crash cut short is left out."""
    if not path.exists():
        return []
    rows = []
    with open(path, newline="") as file:
        for row in csv.DictReader(line for line in file if line.endswith("\n")):
            if None not in row.values():
                rows.append({c: _value(c, row.get(c)) for c in COLUMNS})
    return rows


def _value(column: str, text: str | None) -> float | int | None:
    if column == OPTIONAL and not text:
        return None
    return int(text) if column in WHOLE else float(text)


class Meter:
    """Images per second since the last reading."""

    def __init__(self):
        self.images, self.since = 0, time.perf_counter()

    def read(self) -> float:
        now = time.perf_counter()
        speed, self.images, self.since = self.images / max(now - self.since, 1e-9), 0, now
        return speed


@contextmanager
def shown(title: str | None, steps: int) -> Iterator:
    """A progress bar over steps; without a title nothing is shown."""
    if title is None:
        yield lambda note="": None
    else:
        with progress(title, steps) as advance:
            yield advance


def _tensorboard(folder: Path, done: int):
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(os.fspath(folder / "tensorboard"), purge_step=done + 1)
