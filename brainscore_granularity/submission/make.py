"""The work of `granularity submit`."""

from __future__ import annotations

from pathlib import Path


def make(model: str, to: Path, name: str | None = None, url: str | None = None) -> Path:
    """Write the zip of one of our models, checked against the website's rules."""
    from . import archive, plugin, rules

    name = name or model
    to.mkdir(parents=True, exist_ok=True)
    path = to / f"{name}.zip"
    archive.write(path, plugin.plugin_files(model, name, url, to))
    rules.check(path, rules.known_to_brainscore())
    return path


def lay_out(benchmark: str, to: Path, references: tuple[str, ...] | None = None) -> Path:
    """Write the files of a benchmark's pull request into a new folder; returns that folder.

    The folder must not exist, so that no old file gets into a pull request.

    references : models whose scores are in its test.py; by default `pull_request.REFERENCES`.
    """
    from . import pull_request

    place = to / benchmark
    if place.exists():
        raise ValueError(f"{place} is there already; delete it or choose another folder (--to)")
    for name, content in pull_request.tree(benchmark, references or pull_request.REFERENCES).items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return place
