"""The owners' files: what was read, said so that it can be checked again."""

from __future__ import annotations

import hashlib
from pathlib import Path

HASH_UP_TO = 1 << 28  # bytes; reading a larger file only for its checksum would take longer than using it


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(path: Path, hash_up_to: int = HASH_UP_TO) -> dict:
    """{"file", "bytes", "sha256"}; for files larger than ``hash_up_to`` "modified" (seconds) instead of the hash."""
    status = path.stat()
    record = {"file": path.name, "bytes": status.st_size}
    if status.st_size <= hash_up_to:
        return record | {"sha256": sha256(path)}
    return record | {"modified": status.st_mtime}
