"""MATLAB v7.3 files. They are HDF5 with the dimensions reversed, and cells of text are references to UTF-16 arrays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import files


@contextmanager
def opened(path: Path) -> Iterator:
    """The open file, as ``h5py.File``; errors of HDF5 on a damaged file name the file."""
    import h5py

    with files.named(path), h5py.File(path) as file:
        yield file


def variable(file, name: str, shape: tuple[int | None, ...]):
    """A numeric array of the file, not yet read.

    shape : expected shape in h5py, the reverse of MATLAB's; None for any length.
    """
    if name not in file:
        raise ValueError(
            f"{file.filename}: expected a variable {name}, got {', '.join(sorted(set(file) - {'#refs#'}))}"
        )
    found = file[name]
    fits = len(found.shape) == len(shape) and all(n in (None, m) for n, m in zip(shape, found.shape, strict=True))
    if not fits:
        expected = " x ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"{file.filename}, {name}: expected {expected}, got {' x '.join(map(str, found.shape))}")
    return found


def vector(file, name: str, length: int):
    """Read a row or column vector of numbers."""
    found = variable(file, name, (None, None))
    if sorted(found.shape) != sorted((1, length)):
        raise ValueError(f"{file.filename}, {name}: expected {length} x 1, got {' x '.join(map(str, found.shape))}")
    return found[()].ravel()


def strings(cells) -> list[str]:
    """The texts of a cell array of text, in MATLAB's (column-major) order, which is h5py's row-major one."""
    return [_text(cells.file[reference]) for reference in cells[()].ravel()]


def _text(characters) -> str:
    if "MATLAB_empty" in characters.attrs:  # an empty array is stored as its size, 0 x 0
        return ""
    return characters[()].astype("<u2").tobytes().decode("utf-16-le")


def row_blocks(data, bytes_at_once: int = 1 << 25) -> list[slice]:
    """Blocks of rows of a 2-D array; each covers whole chunks of the file, so that no chunk is decompressed twice."""
    rows, width = data.shape
    step = max(1, bytes_at_once // (width * data.dtype.itemsize))
    if data.chunks:
        step = max(1, step // data.chunks[0]) * data.chunks[0]
    return [slice(first, min(first + step, rows)) for first in range(0, rows, step)]
