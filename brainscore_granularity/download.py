"""Files from elsewhere: fetched once, checked by SHA-256, never half there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

CHUNK = 1 << 20
TIMEOUT_SECONDS = 60  # without a byte


class DataMissing(OSError):
    """Data that a benchmark needs are not here; the message says how to get them."""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(url: str, to: Path, sha256: str, advice: str) -> Path:
    """Download a file unless it is there, and check it.

    Parameters
    ----------
    url : str
    to : path
        Where it is kept. It appears there whole and checked, or not at all.
    sha256 : str
        Of the content.
    advice : str
        What a user who cannot download it should do; ends the error message.

    Raises
    ------
    DataMissing
        If it cannot be downloaded, or has another content than expected.
    """
    import requests

    if to.exists() and sha256_of(to) == sha256:
        return to
    to.parent.mkdir(parents=True, exist_ok=True)
    temporary = to.with_name(f".{to.name}.{os.getpid()}.tmp")
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT_SECONDS) as response, open(temporary, "wb") as file:
            response.raise_for_status()
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
        if (found := sha256_of(temporary)) != sha256:
            raise DataMissing(f"{url}: expected SHA-256 {sha256}, got {found}; nothing was kept. {advice}")
        os.replace(temporary, to)
    except requests.RequestException as error:
        raise DataMissing(f"cannot download {url} ({type(error).__name__}). {advice}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return to
