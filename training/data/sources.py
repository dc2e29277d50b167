"""Where the images are: folders or zips of ``<split>/<class>/<file>``, listed once, read one at a time."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

EXTENSIONS = frozenset(".jpg .jpeg .png .bmp .gif .webp .tif .tiff .ppm".split())
SPLITS = frozenset(("train", "val", "valid", "validation", "test"))


class SourceError(ValueError):
    """The images are not laid out as expected; the message says what was found and how to fix it."""


class NoSplit(SourceError):
    """There are no images of the requested split."""

    def __init__(self, message: str, splits: set[str]):
        super().__init__(message)
        self.splits = splits  # splits that exist


@dataclass(frozen=True, eq=False)
class Source:
    """A list of labelled image files. It may be pickled, forked and read from several processes."""

    names: tuple[str, ...]
    """``<class>/<file>``, sorted; the same whether the images lie in a folder or in zips."""
    labels: np.ndarray
    """(n,) int64: index into ``classes``."""
    classes: tuple[str, ...]
    """Sorted names of the class folders."""
    fingerprint: str
    """Hash of all names and file sizes."""
    places: tuple[tuple[str, str], ...] = field(repr=False)
    """(folder or zip, path inside it) of each image."""

    def __len__(self) -> int:
        return len(self.names)

    def read(self, i: int) -> bytes:
        """The content of image file ``i``."""
        container, member = self.places[i]
        if os.path.isdir(container):
            with open(os.path.join(container, member), "rb") as file:
                return file.read()
        return _open_zip(container, os.getpid()).read(member)


def find(
    path: str | os.PathLike | Sequence[str | os.PathLike],
    *,
    split: str = "train",
    images_per_class: int | None = None,
    seed: int = 0,
) -> Source:
    """List the images of one split.

    Parameters
    ----------
    path : a folder of images, a zip, a folder of zips, or several zips. Inside, images lie in
        ``<split>/<class>/...`` (possibly below an outer folder) or, where there are no splits, in ``<class>/...``.
    split : name of the folder, such as ``train``, ``val`` or ``test``. Images without a split count as
        ``train``, unless the folder or zip itself is called like the split.
    images_per_class : keep this many images of every class, chosen by ``seed``. For equal seeds, the images
        of a smaller number are among those of a larger one.
    """
    paths = [Path(path)] if isinstance(path, str | os.PathLike) else [Path(p) for p in path]
    found: dict[tuple[str, str], tuple[int, tuple[str, str]]] = {}  # (class, file) -> size, place
    folders, others, looked = set(), set(), []
    for container in _containers(paths, split):
        looked.append(str(container))
        in_split, outside = [], []
        for parts, size, member in _listing(container):
            at = next((j for j, part in enumerate(parts[:-2]) if part in SPLITS or part == split), None)
            if at is None:
                outside.append((parts, size, member))
            elif parts[at] == split:
                in_split.append((parts[at + 1 :], size, member))
            else:
                others.add(parts[at])
        if outside and not in_split:
            if split == "train" or container.stem == split:
                in_split = _without_outer_folder(outside)
            else:
                others.add("train (no split folders)")
        for (label, *rest), size, member in in_split:
            folders.add(label)
            if not rest[-1]:  # an entry of the class folder itself
                continue
            key = (label, "/".join(rest))
            if key in found:
                first = found[key][1][0]
                raise SourceError(f"{'/'.join(key)} lies both in {first} and in {container}; give one of them")
            found[key] = (size, (str(container), member))
    if not found:
        there = f"splits there: {', '.join(sorted(others))}" if others else "no image files there"
        raise NoSplit(
            f"no images of split {split!r} in {', '.join(looked)}; {there}. "
            f"Expected <split>/<class>/<file> or <class>/<file> with {' '.join(sorted(EXTENSIONS))}",
            others,
        )
    empty = sorted(folders - {label for label, _ in found})
    if empty:
        raise SourceError(
            f"{len(empty)} classes have no image: {_some(empty)}. Add images, or remove the empty class folders"
        )
    keys = sorted(found) if images_per_class is None else _subset(sorted(found), images_per_class, seed)
    classes = tuple(sorted(folders))
    number = {label: i for i, label in enumerate(classes)}
    names = tuple("/".join(key) for key in keys)
    digest = hashlib.sha256()
    for name, key in zip(names, keys, strict=True):
        digest.update(f"{name}\0{found[key][0]}\n".encode())
    return Source(
        names=names,
        labels=np.array([number[label] for label, _ in keys], np.int64),
        classes=classes,
        fingerprint=digest.hexdigest(),
        places=tuple(found[key][1] for key in keys),
    )


def _subset(keys: list[tuple[str, str]], per_class: int, seed: int) -> list[tuple[str, str]]:
    """``per_class`` files of each class: those whose names hash lowest.

    A hash ranks the images of a class once for each seed, whatever the other images are: subsets are nested,
    and the same on every machine and version of numpy.
    """
    if per_class < 1:
        raise SourceError(f"images_per_class must be 1 or more, got {per_class}")
    by_class: dict[str, list[tuple[str, str]]] = {}
    for key in keys:
        by_class.setdefault(key[0], []).append(key)
    short = [f"{label} ({len(members)})" for label, members in by_class.items() if len(members) < per_class]
    if short:
        fewest = min(len(members) for members in by_class.values())
        raise SourceError(
            f"expected {per_class} images per class, but {len(short)} classes have fewer: {_some(short)}. "
            f"Ask for at most {fewest}"
        )
    chosen = []
    for members in by_class.values():
        members.sort(key=lambda key: hashlib.sha256(f"{seed}/{key[0]}/{key[1]}".encode()).digest())
        chosen += members[:per_class]
    return sorted(chosen)


def _containers(paths: list[Path], split: str) -> Iterator[Path]:
    """Folders and zips to look into; a folder of zips stands for its zips."""
    for path in paths:
        if not path.exists():
            raise SourceError(f"{path} does not exist; give a folder of images, a zip, or a folder of zips")
        zips = sorted(path.glob("*.zip")) if path.is_dir() and not (path / split).is_dir() else []
        yield from (p.absolute() for p in zips or [path])


def _listing(container: Path) -> Iterable[tuple[list[str], int, str]]:
    """Yields (parts of the path, size, path) of every image; a class folder is an entry with an empty last part."""
    if container.is_dir():
        entries = _walk(container)
    else:
        try:
            entries = [(info.filename, info.file_size) for info in _open_zip(str(container), os.getpid()).infolist()]
        except zipfile.BadZipFile as error:
            raise SourceError(f"{container} is neither a folder nor an intact zip ({error}); fetch it again") from error
    for name, size in entries:
        parts = name.split("/")
        hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
        wanted = parts[-2] not in SPLITS if not parts[-1] else Path(parts[-1]).suffix.lower() in EXTENSIONS
        if len(parts) >= 2 and not hidden and wanted:
            yield parts, size, name


def _without_outer_folder(entries: list[tuple[list[str], int, str]]) -> list[tuple[list[str], int, str]]:
    """``outer/<class>/<file>`` without ``outer``, so that a wrapping folder is not taken for the only class."""
    while len({parts[0] for parts, _, _ in entries}) == 1 and all(len(p) > 2 for p, _, _ in entries if p[-1]):
        entries = [(parts[1:], size, name) for parts, size, name in entries if len(parts) > 2]
    return entries


def _walk(folder: Path) -> Iterator[tuple[str, int]]:
    """Relative path with slashes and size of every file; folders without subfolders end in a slash, size 0."""
    for here, subfolders, _ in os.walk(folder, followlinks=True):
        relative = os.path.relpath(here, folder).replace(os.sep, "/")
        prefix = "" if relative == "." else relative + "/"
        if prefix and not subfolders:
            yield prefix, 0
        with os.scandir(here) as entries:
            yield from ((prefix + entry.name, entry.stat().st_size) for entry in entries if entry.is_file())


@lru_cache(maxsize=64)
def _open_zip(path: str, process: int) -> zipfile.ZipFile:
    """An open zip, one for each process: forked processes that share a file position would read wrong bytes."""
    return zipfile.ZipFile(path)


def _some(items: list[str], n: int = 3) -> str:
    return ", ".join(items[:n]) + (f" and {len(items) - n} more" if len(items) > n else "")
