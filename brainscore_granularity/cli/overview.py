"""The output of `granularity --help`: one line per verb."""

from __future__ import annotations

import inspect
import shutil
import textwrap
from collections.abc import Callable


def overview(prog: str, description: str, groups: dict[str, dict[str, Callable]]) -> str:
    """Usage, description, and the first sentence of every verb.

    groups : {heading: {verb: function}}.
    """
    width = min(shutil.get_terminal_size().columns, 120)
    indent = 4 + max(len(name) for verbs in groups.values() for name in verbs)
    parts = [f"usage: {prog} VERB [settings]", *(textwrap.fill(p, width) for p in description.split("\n\n"))]
    for heading, verbs in groups.items():
        lines = []
        for name, function in verbs.items():
            first = " ".join(inspect.cleandoc(function.__doc__).split("\n\n")[0].split())
            lines.append(textwrap.fill(f"  {name:{indent - 2}}{first}", width, subsequent_indent=" " * indent))
        parts.append("\n".join([f"{heading}:" if heading else "verbs:", *lines]))
    parts.append(f"`{prog} VERB --help` has every setting with its default, and an example.")
    return "\n\n".join(parts)
