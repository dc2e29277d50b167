"""Downloads: each file is fetched once, checked by SHA-256, and never kept incomplete."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
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
        _whole(url, temporary)
        if (found := sha256_of(temporary)) != sha256:
            raise DataMissing(f"{url}: expected SHA-256 {sha256}, got {found}; nothing was kept. {advice}")
        os.replace(temporary, to)
    except requests.RequestException as error:
        got = f" after {size} bytes" if (size := temporary.stat().st_size) else ""
        raise DataMissing(f"cannot download {url} ({type(error).__name__}{got}). {advice}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return to


def fetch_large(
    url: str,
    to: Path,
    size: int | None,
    checksum: tuple[str, str] | None,
    advice: str,
    received: Callable[[int], None] = lambda n: None,
) -> Path:
    """As `fetch`, for files of hours: what has arrived stays beside the file, and the next call goes on from there.

    Parameters
    ----------
    size : int, optional
        Expected number of bytes.
    checksum : (name, hex digest), optional
        Such as ("sha256", ...) or ("md5", ...). A file with another one, or of another size, is not kept.
    received : function
        Called with the number of bytes of every piece that arrives.
    """
    import requests

    to.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(to, size, checksum)
    part.touch()
    if size is not None and part.stat().st_size > size:
        part.write_bytes(b"")
    try:
        if size is None or part.stat().st_size < size:
            _whole(url, part, received)
    except requests.RequestException as error:
        status = getattr(error.response, "status_code", None)
        here = part.stat().st_size
        if status != requests.codes.requested_range_not_satisfiable or not here:  # else nothing was left to send
            reason = type(error).__name__ if status is None else f"the server says {status}"
            raise DataMissing(
                f"cannot download {url} ({reason}; {here} bytes are kept for the next time). {advice}"
            ) from error
    if wrong := _wrong(part, size, checksum):
        part.unlink()
        raise DataMissing(f"{url}: {wrong}; nothing was kept. {advice}")
    os.replace(part, to)
    return to


def part_of(to: Path, size: int | None, checksum: tuple[str, str] | None) -> Path:
    """Where an incomplete file is kept; another one where the owner's file has changed."""
    expected = hashlib.sha256(repr((size, checksum)).encode()).hexdigest()[:8]
    return to.with_name(f".{to.name}.{expected}.part")


def _wrong(file: Path, size: int | None, checksum: tuple[str, str] | None) -> str | None:
    """What is wrong with a downloaded file."""
    if size is not None and (here := file.stat().st_size) != size:
        return f"expected {size} bytes, got {here}"
    if checksum is None:
        return None
    with open(file, "rb") as opened:
        found = hashlib.file_digest(opened, checksum[0]).hexdigest()
    return None if found == checksum[1] else f"expected {checksum[0]} {checksum[1]}, got {found}"


def _whole(url: str, file: Path, received: Callable[[int], None] = lambda n: None) -> None:
    """Fetch the missing rest of a file, again after every broken connection that has brought something."""
    import requests

    for attempt in range(ATTEMPTS):
        before = file.stat().st_size
        try:
            _append(url, file, received)
            return
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            if attempt + 1 == ATTEMPTS or file.stat().st_size <= before:
                raise


def _append(url: str, file: Path, received: Callable[[int], None]) -> None:
    """Fetch the missing rest of a file; if the server cannot send a part, fetch the whole file again."""
    import requests

    here = file.stat().st_size
    # not compressed: a part of a compressed file could not be joined to the rest
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={here}-"} if here else {})
    with requests.get(url, stream=True, timeout=TIMEOUT_SECONDS, headers=headers) as response:
        response.raise_for_status()
        with open(file, "ab" if response.status_code == requests.codes.partial_content else "wb") as opened:
            for chunk in response.iter_content(CHUNK):
                opened.write(chunk)
                received(len(chunk))
