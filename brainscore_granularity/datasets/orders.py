"""What `granularity data fetch` fetches from the owners of data: which files, how large, under which terms."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brainscore_granularity.download import DataMissing, fetch_large, part_of
from brainscore_granularity.paths import sha256_of
from brainscore_granularity.progress import progress, say

from . import cichy, cowley2023, kriegeskorte2008
from .pinned import Pinned

SPEED = 10e6  # bytes a second, for the time that is said beforehand
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Remote:
    """One file of an owner. path: where it belongs in the folder; size and checksum where the owner says them."""

    path: str
    url: str
    size: int | None = None
    checksum: tuple[str, str] | None = None


@dataclass(frozen=True)
class Order:
    """The files of a data set that are needed here.

    folder : where they are kept, in the layout of the owner.
    terms : licence, and what to cite.
    accept : words in which the user must have accepted the terms; None: no agreement is needed.
    size : of all files in words, where the owner does not say the size of each.
    then : what to do with the files.
    """

    title: str
    folder: Path
    terms: str
    files: tuple[Remote, ...]
    accept: str | None = None
    size: str | None = None
    then: str = ""

    def missing(self) -> list[Remote]:
        """The files that are not here; a file of known size is known by it, others by their checksum."""
        return [file for file in self.files if not _is_here(self.folder / file.path, file)]

    def said(self, missing: list[Remote]) -> str:
        """Number, size and time of what is missing, in words."""
        total = f"{len(missing)} of {len(self.files)} files are missing"
        if not missing or any(file.size is None for file in missing):
            return f"{total}{f' (all: {self.size})' if self.size else ''}"
        left = self.left(missing)
        return f"{total}, {left / 1e9:.2f} GB left, about {_time(left / SPEED)} at {SPEED / 1e6:.0f} MB/s"

    def left(self, missing: list[Remote]) -> int:
        """Bytes that are still to come; parts of files that are here already are not counted."""
        parts = [part_of(self.folder / file.path, file.size, file.checksum) for file in missing]
        here = sum(part.stat().st_size for part in parts if part.exists())
        return max(0, sum(file.size or 0 for file in missing) - here)


def _is_here(path: Path, file: Remote) -> bool:
    if not path.is_file():
        return False
    if file.size is not None:
        return path.stat().st_size == file.size
    return file.checksum is None or sha256_of(path) == file.checksum[1]


def _time(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{max(minutes, 1)} min"


def announced(order: Order) -> list[Remote]:
    """What is missing, after saying how much it is and under which terms."""
    missing = order.missing()
    say(f"{order.title}: {order.said(missing)}; kept in {order.folder}. {order.terms}")
    return missing


def get(order: Order, accepted: str | None = None) -> None:
    """Say what is missing, and fetch it; what was interrupted goes on where it stopped.

    accepted : the words in which the user accepts the terms, where an agreement is needed.
    """
    missing = announced(order)
    if not missing:
        return
    if order.accept and accepted != order.accept:
        raise ValueError(
            f'{order.title} needs your agreement: read the terms, then add --accept-terms "{order.accept}"'
        )
    left, order_folder = order.left(missing), order.folder
    order_folder.mkdir(parents=True, exist_ok=True)
    if left > (free := shutil.disk_usage(order_folder).free):
        raise DataMissing(f"{order_folder}: {left / 1e9:.2f} GB are still to come, {free / 1e9:.2f} GB are free")
    with progress("fetching, MB", max(1, left // MEGABYTE)) as advance:
        for file in missing:
            advance(file.path, 0)
            fetch_large(file.url, order_folder / file.path, file.size, file.checksum, order.terms, _counted(advance))


def _counted(advance: Callable[..., None]) -> Callable[[int], None]:
    """Steps of whole megabytes from bytes."""
    waiting = 0

    def received(n: int) -> None:
        nonlocal waiting
        steps, waiting = divmod(waiting + n, MEGABYTE)
        if steps:
            advance(steps=steps)

    return received


def pinned_sets() -> dict[str, Pinned]:
    """The data sets that need no agreement, by the names they are fetched by."""
    others = {"kriegeskorte2008": kriegeskorte2008.FILES, "cowley2023": cowley2023.files()}
    return others | {name.lower(): each for name, each in cichy.FILES.items()}


def of_pinned(files: Pinned) -> Order:
    """Files of a public repository at a fixed commit. A folder that the user named is checked, never written to."""
    if os.environ.get(files.variable):
        for name in files.files:
            files.path(name)
    return Order(
        files.title, files.root(), f"From {files.origin}. {files.terms}",
        tuple(Remote(name, url, None, ("sha256", sha256)) for name, (url, sha256) in files.files.items()),
        size=files.size, then="they are used from there",
    )  # fmt: skip
