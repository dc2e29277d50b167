"""Downloads: each file is fetched once, checked by SHA-256, and never kept incomplete."""

from __future__ import annotations

import os
from pathlib import Path

from .paths import sha256_of

CHUNK = 1 << 16
TIMEOUT_SECONDS = 60  # seconds without receiving a byte
ATTEMPTS = 10  # to resume a broken connection; fewer if one attempt receives nothing


class DataMissing(OSError):
    """Data that a benchmark needs are not on this computer; the message says how to get them."""


def fetch(url: str, to: Path, sha256: str, advice: str) -> Path:
    """Download a file unless it exists, and check it. After a broken connection the download resumes.

    Parameters
    ----------
    url : str
    to : path
        Where the file is kept. It appears there complete and checked, or not at all.
    sha256 : str
        Expected hash of the content.
    advice : str
        What to do if the download is impossible; the last sentence of the error message.

    Raises
    ------
    DataMissing
        If the download fails, or the content is not the expected one.
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
    """Fetch the missing rest of a file; if the server cannot send a part, fetch the whole file again."""
    import requests

    here = file.stat().st_size
    part = {"Range": f"bytes={here}-"} if here else {}
    with requests.get(url, stream=True, timeout=TIMEOUT_SECONDS, headers=part) as response:
        response.raise_for_status()
        with open(file, "ab" if response.status_code == requests.codes.partial_content else "wb") as opened:
            for chunk in response.iter_content(CHUNK):
                opened.write(chunk)
