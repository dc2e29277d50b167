"""Where things are kept on this computer."""

import hashlib
import os
import secrets
from pathlib import Path

HOME_VARIABLE = "BRAINSCORE_GRANULARITY_HOME"


def home() -> Path:
    """Folder for checkpoints, stimuli and caches: $BRAINSCORE_GRANULARITY_HOME or ~/.brainscore_granularity."""
    return Path(os.environ.get(HOME_VARIABLE) or "~/.brainscore_granularity").expanduser()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal; the file is read in pieces."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes | str, durable: bool = True) -> None:
    """Write a file so that readers see the old content or the new, never an incomplete file.

    durable : wait until the content is on the disk, so that this also holds after a power cut.
    """
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(
        f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    )  # other computers write here too
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
