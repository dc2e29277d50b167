"""`granularity submit`."""

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
