"""Runs a page of the documentation as a reader would: its blocks in order, in one process, in a copy of the checkout.

    python tests/makers/pages.py failed.json docs/add_a_model.md    # in a copy: it writes the files that the page shows

A block is what its language and the line before it say:

- ``python``: executed, all blocks of a page in one namespace;
- ``console``: lines after ``$`` are run by bash (`granularity` in this process, which spares an import; ``export``
  lasts to the end of the page); the lines below are what must be printed, where ``...`` stands for anything;
- after a line that ends in a file's name and a colon, as "`models/mine/model.py`:", the content of that file; of a
  ``diff``, the change to it;
- after a line that begins with "*Not run": skipped, with that line as the reason; any other language: not code to run.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import os
import re
import shlex
import subprocess
import sys
import traceback
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^```(?P<language>\S*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`([\w./-]+)`:$")
NOT_RUN = "*Not run"
LOOSELY = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    language: str
    text: str
    file: str | None
    reason: str | None  # why it is not run


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = []
    for match in FENCE.finditer(page):
        before = page[: match.start()].rstrip().rpartition("\n\n")[2]
        file = FILE.search(before)
        reason = " ".join(before.split()) if before.startswith(NOT_RUN) else None
        found.append(Block(match["language"], match["text"], file and file[1], reason))
    return found


def run(pages: list[Path]) -> dict[str, str]:
    """All pages in one process: {page: what went wrong}, empty if nothing did.

    All files are written before the first block is run, because what is imported stays.
    """
    failed: dict[str, str] = {}
    for execute in (write, execute_blocks):
        for page in pages:
            try:
                execute(page)
            except Exception:
                failed.setdefault(page.stem, traceback.format_exc())
    return failed


def write(page: Path) -> None:
    """The files that a page shows, and its changes to others."""
    for block in blocks(page.read_text()):
        if not block.file or block.reason:
            continue
        if block.language == "diff":
            change(Path(block.file), block.text)
        else:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.text)


def execute_blocks(page: Path) -> None:
    """Everything else; the first block that fails ends the page."""
    names, surroundings = {"__name__": "page"}, dict(os.environ)
    try:
        for block in blocks(page.read_text()):
            if block.file or block.reason:
                continue
            if block.language == "python":
                exec(compile(block.text, str(page), "exec"), names)
            elif block.language == "console":
                console(block.text)
    finally:
        os.environ.clear()
        os.environ.update(surroundings)


def change(file: Path, diff: str) -> None:
    """Apply a diff without line numbers: lines with + replace those with -, the others say where."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++", "@@"))]
    old, new = ("\n".join(line[1:] for line in lines if line[:1] not in but) for but in ("+", "-"))
    text = file.read_text()
    if text.count(old) != 1:
        raise ValueError(f"{file}: expected these lines once, found them {text.count(old)} times:\n{old}")
    file.write_text(text.replace(old, new))


def console(text: str) -> None:
    """Commands after $, each followed by what it must print."""
    for part in re.split(r"^\$ ", text.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        command, _, wanted = part.partition("\n")
        printed = output_of(command)
        if wanted.strip() and not doctest.OutputChecker().check_output(wanted, printed, LOOSELY):
            raise AssertionError(f"$ {command}\nexpected:\n{wanted}\ngot:\n{printed}")


def output_of(command: str) -> str:
    """What a command prints, errors included; a command that fails is an error."""
    if export := re.fullmatch(r"export (\w+)=(.*)", command):
        os.environ[export[1]] = os.path.expandvars(export[2].replace("$PWD", os.getcwd()))
        return ""
    if not command.startswith("granularity ") or re.search(r"[|<>&;$]", command):
        done = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        code, printed = done.returncode, done.stdout
    else:
        from brainscore_granularity.cli import main as cli

        out, code = io.StringIO(), 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                cli.main(shlex.split(command)[1:])
            except SystemExit as end:
                code = end.code or 0
        printed = out.getvalue()
    if code:
        raise AssertionError(f"$ {command}\nended with {code}:\n{printed}")
    return printed


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(run([Path(page) for page in sys.argv[2:]])))
