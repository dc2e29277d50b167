"""The owners' files: which are needed, which are missing, and a fingerprint of those that were read."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path

from brainscore_granularity.paths import sha256_of

from .registry import Dataset

HASH_UP_TO = 1 << 28  # bytes; for larger files a checksum would take longer than the preparation
LISTED = 8


class MissingFiles(FileNotFoundError):
    """Files of the owner are missing; the message lists them and says how to get them."""


def require(dataset: Dataset, source: Path, paths: Iterable[Path | tuple[Path, ...]]) -> None:
    """Raise one error for everything that is missing. A tuple stands for alternatives, one of which is enough."""
    alternatives = [path if isinstance(path, tuple) else (path,) for path in paths]
    missing = [
        " or ".join(_within(source, path) for path in choice)
        for choice in alternatives
        if not any(path.exists() for path in choice)
    ]
    if missing:
        listed = ", ".join(missing[:LISTED]) + (f" and {len(missing) - LISTED} more" * (len(missing) > LISTED))
        raise MissingFiles(
            f"{len(missing)} files of the {dataset.title} are not in {source}: {listed}. Keep the owner's folders as "
            f"they are. The data are under {dataset.licence}. To get them: {dataset.access}."
        )


@contextmanager
def named(path: Path):
    """Context manager: turn errors of the libraries that read a file into one that names the file."""
    try:
        yield
    except (EOFError, OSError, KeyError, zlib.error) as error:
        raise OSError(f"{path} cannot be read ({error}). If it was cut short or damaged, copy it again.") from error


def open_nifti(path: Path):
    """A NIfTI image whose file stays open: a compressed file that is reopened is read again from its start."""
    try:
        import nibabel
    except ImportError as error:
        raise ImportError("NIfTI files need nibabel: pip install 'brainscore_granularity[prepare]'") from error
    try:
        return nibabel.load(path, keep_file_open=True)
    except nibabel.filebasedimages.ImageFileError as error:
        raise OSError(str(error)) from error


def fingerprint(path: Path, hash_up_to: int = HASH_UP_TO) -> dict:
    """Name, bytes and SHA-256 of a file; if larger than ``hash_up_to``, "modified" (seconds) instead of the hash."""
    status = path.stat()
    record = {"file": path.name, "bytes": status.st_size}
    if status.st_size <= hash_up_to:
        return record | {"sha256": sha256_of(path)}
    return record | {"modified": status.st_mtime}


def _within(source: Path, path: Path) -> str:
    return str(path.relative_to(source)) if path.is_relative_to(source) else str(path)
