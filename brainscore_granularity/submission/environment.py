"""A temporary environment with only Brain-Score and its requirements; without this package."""

from __future__ import annotations

import importlib.metadata
import shutil
import venv
from importlib.util import find_spec
from pathlib import Path

LARGE = 1 << 20  # bytes; larger files of Brain-Score are linked instead of copied


def make(folder: Path, requirements: tuple[str, ...] = ()) -> tuple[Path, Path]:
    """Make the environment; returns its Python and its copy of brainscore_vision, into which a plugin can be put.

    Packages are links to the installed ones: what Brain-Score and the plugin require, and what these require in turn.
    """
    venv.EnvBuilder(symlinks=True).create(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    for package in _required(["brainscore_vision", "pytest", "pytest-check", *requirements]):
        for part in {Path(file.parts[0]) for file in package.files or () if file.parts[0] not in ("..", "__pycache__")}:
            target = Path(package.locate_file(part))
            if part.suffix == ".pth" or part.name == "brainscore_vision" or (site / part).exists():
                continue
            if part.name == "cv2":  # its loader follows links and would load itself instead of its binary
                shutil.copytree(target, site / part, copy_function=_copy)
            else:
                (site / part).symlink_to(target)
    source = Path(find_spec("brainscore_vision").submodule_search_locations[0])
    copied = shutil.copytree(
        source, site / "brainscore_vision", ignore=shutil.ignore_patterns("__pycache__"), copy_function=_copy
    )
    return folder / "bin" / "python", Path(copied)


def _copy(source: str, to: str) -> str:
    if Path(source).stat().st_size > LARGE:
        Path(to).symlink_to(source)
        return to
    return shutil.copyfile(source, to)


def _required(names: list[str]) -> list[importlib.metadata.Distribution]:
    from packaging.requirements import Requirement

    todo, found = [Requirement(name) for name in names], {}
    while todo:
        wanted = todo.pop()
        if wanted.name.lower() in found:
            continue
        try:
            package = importlib.metadata.distribution(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            if wanted.name in names:
                raise ImportError(f"the check needs {wanted.name}: pip install {wanted.name}") from None
            continue
        found[wanted.name.lower()] = package
        further = [Requirement(text) for text in package.requires or ()]
        extras = wanted.extras or {""}
        todo += [r for r in further if r.marker is None or any(r.marker.evaluate({"extra": e}) for e in extras)]
    return list(found.values())
