"""The rules of the website: each is a function that takes a zip and yields one line per violation, with its fix."""

from __future__ import annotations

import ast
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from . import archive

MAX_BYTES = 50_000_000
NEEDED = ("__init__.py", "model.py", "test.py")
FOLDERS = ("models", "benchmarks", "data", "metrics")


class Violation(ValueError):
    """A submission breaks rules of the website; the message names each and how to fix it."""


@dataclass(frozen=True)
class Submission:
    """The content of a zip, for the rules.

    known : identifiers and folder names that Brain-Score already has.
    """

    size: int
    entries: list[zipfile.ZipInfo]
    texts: dict[str, str]  # Python files by path in the zip
    known: frozenset[str]

    @property
    def names(self) -> list[str]:
        return [entry.filename for entry in self.entries]

    @property
    def root(self) -> str:
        return self.names[0].split("/")[0] if self.entries else ""

    @property
    def plugins(self) -> list[tuple[str, str]]:
        """Kind and folder of every plugin in the zip."""
        parts = [PurePosixPath(name).parts for name in self.names]
        return sorted({p[1:3] for p in parts if len(p) > 3 and p[1] in FOLDERS})

    def text(self, name: str) -> str:
        """The text of a file of the first model plugin; empty if there is none."""
        folder = next((folder for kind, folder in self.plugins if kind == "models"), "")
        return self.texts.get(f"{self.root}/models/{folder}/{name}", "")

    @property
    def registrations(self) -> list[str]:
        """Identifiers as Brain-Score reads them: up to the last bracket of a line, also in comments."""
        lines = [line for line in self.text("__init__.py").splitlines() if "model_registry[" in line]
        found = [re.search(r"model_registry\[.*\]", line) for line in lines]
        return [match[0][len("model_registry") + 2 : -2] if match else "" for match in found]


def read(path: Path, known: frozenset[str]) -> Submission:
    """Open a zip for the rules; a file that is not a zip is a violation."""
    try:
        with zipfile.ZipFile(path) as opened:
            entries = opened.infolist()
            python = [entry for entry in entries if entry.filename.endswith(".py")]
            texts = {entry.filename: opened.read(entry).decode("utf-8") for entry in python}
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise Violation(f"{path} is not a zip of UTF-8 files ({error}); make it with `granularity submit`") from error
    return Submission(path.stat().st_size, entries, texts, known)


def violations(submission: Submission) -> list[str]:
    """One line for every violation, with the name of the rule and how to fix it."""
    return [f"{name.replace('_', ' ')}: {line}" for name, rule in RULES.items() for line in rule(submission)]


def check(path: Path, known: frozenset[str]) -> Submission:
    """Raise for a zip that breaks rules; the message holds a line for each."""
    submission = read(path, known)
    if broken := violations(submission):
        raise Violation(f"{path.name} breaks the website's rules. " + " | ".join(broken))
    return submission


def size(submission: Submission) -> Iterator[str]:
    if submission.size >= MAX_BYTES:
        yield f"{submission.size / 1e6:.0f} MB, the limit is 50; put the weights under a URL (--weights-url)"


def paths(submission: Submission) -> Iterator[str]:
    for entry in submission.entries:
        if how := archive.escape(entry):
            yield f"{entry.orig_filename!r} {how}; use plain paths below the root folder"


def one_root(submission: Submission) -> Iterator[str]:
    outside = [name for name in submission.names if name.split("/")[0] != submission.root or name.count("/") == 0]
    if outside:
        yield f"{outside[0]} lies outside {submission.root or 'a root'}/; zip one folder that holds everything"


def entries_for_folders(submission: Submission) -> Iterator[str]:
    wanted = {f"{parent}/" for name in submission.names for parent in PurePosixPath(name).parents if parent.name}
    if missing := sorted(wanted - set(submission.names)):
        yield f"{missing[0]} has no entry in the zip; zip with entries for folders (`zip -r`, without -D)"
    elif submission.names and submission.names[0] != f"{submission.root}/":
        yield f"the first entry is {submission.names[0]}; it has to be the root folder {submission.root}/"


def one_plugin(submission: Submission) -> Iterator[str]:
    if len(submission.plugins) != 1 or submission.plugins[0][0] != "models":
        found = ", ".join("/".join(plugin) for plugin in submission.plugins) or "none"
        yield f"expected one folder models/<plugin>, got {found}; submit one model at a time"


def files(submission: Submission) -> Iterator[str]:
    if missing := [name for name in NEEDED if not submission.text(name).strip()]:
        yield f"{', '.join(missing)} missing or empty in the plugin's folder; all of {', '.join(NEEDED)} are needed"


def no_metadata(submission: Submission) -> Iterator[str]:
    if found := [name for name in submission.names if PurePosixPath(name).stem == "metadata"]:
        yield f"{found[0]} is not taken from submissions; leave it out and edit the metadata on the website"


def no_leftovers(submission: Submission) -> Iterator[str]:
    pattern = re.compile(r"(^|/)(__pycache__|__MACOSX|\.DS_Store|\.git|\.ipynb_checkpoints)(/|$)|\.pyc$")
    if found := [name for name in submission.names if pattern.search(name)]:
        yield f"{found[0]} was left by another program; delete it and zip again"


def one_registration(submission: Submission) -> Iterator[str]:
    if len(submission.registrations) != 1:
        yield (
            f"expected one line with model_registry[...] in __init__.py, got {len(submission.registrations)} "
            "(comments count); register one identifier, once"
        )


def readable_identifier(submission: Submission) -> Iterator[str]:
    for found in submission.registrations:
        if not re.fullmatch(r"[^\[\]'\"(){}]+", found):
            yield f'Brain-Score reads {found!r}; write model_registry["name"] and no bracket after it'


def identifier(submission: Submission) -> Iterator[str]:
    for found in submission.registrations:
        if re.search(r"[-\s]", found):
            yield f"{found!r} has a hyphen or a space; use underscores"
        if "/" in found:
            yield f"{found!r} has a slash, which cannot be in a file name; use underscores"


def folder_name(submission: Submission) -> Iterator[str]:
    for _, folder in submission.plugins:
        if not folder.isidentifier():
            yield f"the folder {folder!r} cannot be imported; use letters, digits and underscores"


def new_identifier(submission: Submission) -> Iterator[str]:
    known = {name.lower() for name in submission.known}
    for found in submission.registrations:
        if found.lower() in known:
            yield f"Brain-Score has a model {found!r} already; choose another identifier (--name)"


def new_folder(submission: Submission) -> Iterator[str]:
    known = {name.lower() for name in submission.known}
    for _, folder in submission.plugins:
        if folder.lower() in known:
            yield f"Brain-Score has a plugin folder {folder!r} already; choose another name (--name)"


def bibtex(submission: Submission) -> Iterator[str]:
    """Expect one BibTeX entry with author, year and a URL or DOI, as Brain-Score stores it."""
    from pybtex.database import parse_string

    try:
        tree = ast.parse(submission.text("model.py"))
    except SyntaxError as error:
        yield f"model.py is not Python ({error}); fix it"
        return
    if not any(isinstance(node, ast.FunctionDef) and node.name == "get_bibtex" for node in tree.body):
        yield "model.py has no function get_bibtex(identifier); add one that returns a BibTeX entry"
        return
    words = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    entries = [word for word in words if re.match(r"\s*@\w+\s*\{", word)]
    try:
        (entry,) = [entry for word in entries for entry in parse_string(word, "bibtex").entries.values()]
    except Exception as error:
        yield f"expected one BibTeX entry in model.py ({type(error).__name__}: {error}); keep one"
        return
    missing = [field for field in ("year",) if field not in entry.fields]
    missing += [] if "author" in entry.persons else ["author"]
    missing += [] if {"url", "doi"} & set(entry.fields) else ["url or doi"]
    if missing:
        yield f"the BibTeX entry lacks {', '.join(missing)}; add it"


def nothing_of_ours(submission: Submission) -> Iterator[str]:
    for name, text in submission.texts.items():
        if re.search(r"^\s*(import|from)\s+brainscore_granularity\b", text, re.MULTILINE):
            yield f"{name} imports brainscore_granularity, which the website does not have; copy what it needs"


RULES: dict[str, Callable[[Submission], Iterator[str]]] = {
    rule.__name__: rule
    for rule in (
        size, paths, one_root, entries_for_folders, one_plugin, files, no_metadata, no_leftovers, one_registration,
        readable_identifier, identifier, folder_name, new_identifier, new_folder, bibtex, nothing_of_ours,
    )
}  # fmt: skip


def known_to_brainscore() -> frozenset[str]:
    """Identifiers and folder names of the models of the installed Brain-Score."""
    from importlib.util import find_spec

    from brainscore_granularity.brains.catalogue import brainscore

    folder = Path(find_spec("brainscore_vision").submodule_search_locations[0], "models")
    return frozenset([*brainscore("models"), *(path.name for path in folder.iterdir() if path.is_dir())])
