"""Files from elsewhere: fetched once, checked by SHA-256, never half there."""

from __future__ import annotations

import os
from pathlib import Path

from .paths import sha256_of

CHUNK = 1 << 16
TIMEOUT_SECONDS = 60  # without a byte
ATTEMPTS = 10  # to go on after a broken connection; given up earlier where one brings nothing new


class DataMissing(OSError):
    """Data that a benchmark needs are not here; the message says how to get them."""


def fetch(url: str, to: Path, sha256: str, advice: str) -> Path:
    """Download a file unless it is there, and check it. A broken connection is taken up again where it broke.

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
        temporary.write_bytes(b"")
        for attempt in range(ATTEMPTS):
            before = temporary.stat().st_size
            try:
                _append(url, temporary)
                break
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
                if attempt + 1 == ATTEMPTS or temporary.stat().st_size <= before:
                    raise
        if (found := sha256_of(temporary)) != sha256:
            raise DataMissing(f"{url}: expected SHA-256 {sha256}, got {found}; nothing was kept. {advice}")
        os.replace(temporary, to)
    except requests.RequestException as error:
        got = f" after {size} bytes" if (size := temporary.stat().st_size) else ""
        raise DataMissing(f"cannot download {url} ({type(error).__name__}{got}). {advice}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return to


def _append(url: str, file: Path) -> None:
    """Fetch what a file still lacks; a server that cannot serve a part of it serves it all again."""
    import requests

    here = file.stat().st_size
    part = {"Range": f"bytes={here}-"} if here else {}
    with requests.get(url, stream=True, timeout=TIMEOUT_SECONDS, headers=part) as response:
        response.raise_for_status()
        with open(file, "ab" if response.status_code == requests.codes.partial_content else "wb") as opened:
            for chunk in response.iter_content(CHUNK):
                opened.write(chunk)
