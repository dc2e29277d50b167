"""Zips: reproducible bytes for the same files, and unpacking that never writes outside its folder."""

from __future__ import annotations

import stat
import zipfile
from io import BytesIO
from pathlib import Path, PurePosixPath

from brainscore_granularity.paths import write_atomically

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold


def write(path: Path, files: dict[str, bytes]) -> None:
    """Write a zip of files by path, with an entry for every folder; folders come before their content.

    Nothing is compressed: compressed bytes differ between versions of zlib, and weights hardly shrink.
    """
    folders = {f"{parent}/" for name in files for parent in PurePosixPath(name).parents if parent.name}
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted({*folders, *files}):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.create_system = 3  # marked as Unix on every system
            mode = (stat.S_IFDIR | 0o755) if name in folders else (stat.S_IFREG | 0o644)
            entry.external_attr = mode << 16 | (0x10 if name in folders else 0)
            archive.writestr(entry, files.get(name, b""))
    write_atomically(path, buffer.getvalue())


def escape(entry: zipfile.ZipInfo) -> str | None:
    """Why an entry would be unpacked outside the folder, or None if it would not."""
    name = entry.orig_filename
    if "\\" in name or "\0" in name:
        return "has a backslash or a null in its name"
    if name.startswith("/") or name[1:2] == ":":
        return "is absolute"
    if ".." in name.split("/"):
        return "goes up with .."
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link"
    return None


def unpack(path: Path, to: Path) -> None:
    """Unpack a zip; if any entry would leave the folder, nothing is unpacked."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if how := escape(entry):
                raise ValueError(f"{path}: {entry.orig_filename!r} {how}; nothing was unpacked")
        archive.extractall(to)
