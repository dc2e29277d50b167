"""Self-contained source: one file with all definitions that some functions need from our modules."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Statement:
    """A statement of a module's top level: what it defines, what it needs, and its lines with the comments above."""

    defines: frozenset[str]
    uses: frozenset[str]
    text: str


def self_contained(entries: Sequence[Callable], heading: str) -> str:
    """Source that defines the given functions and classes, without relative imports.

    From their modules, and from modules that these import names from (``from .base import Network``), only needed
    definitions are kept, with their comments. Imports of a whole module of our package cannot be followed.

    Parameters
    ----------
    entries : functions and classes of modules of this package.
    heading : docstring of the new file.
    """
    paths = list(dict.fromkeys(Path(inspect.getsourcefile(entry)) for entry in entries))
    modules = _with_imported(paths)
    statements = [statement for path in modules for statement in modules[path]["statements"]]
    imports = {name: how for path in modules for name, how in modules[path]["imports"].items()}
    _refuse_clashes(statements, imports)
    reached = _reached({entry.__name__ for entry in entries}, statements)
    kept = [statement for statement in statements if statement.defines & reached]
    used = frozenset().union(*(statement.uses for statement in kept))
    lines = _import_lines({name: how for name, how in imports.items() if name in used})
    body = "\n\n\n".join(statement.text for statement in kept)
    return f'"""{heading}"""\n\nfrom __future__ import annotations\n\n{lines}\n\n\n{body}\n'


def _with_imported(paths: list[Path]) -> dict[Path, dict]:
    """The modules, and before them those that they import names from."""
    found: dict[Path, dict] = {}

    def add(path: Path) -> None:
        if path in found:
            return
        text = path.read_text(encoding="utf-8")
        statements, imports = [], {}
        for node in ast.parse(text).body:
            if isinstance(node, ast.ImportFrom) and node.level:
                for alias in node.names:
                    _follow(path, node, alias, add)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                module = getattr(node, "module", None)
                imports |= {a.asname or a.name.split(".")[0]: (module, a.name, a.asname) for a in node.names}
            elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):  # a docstring
                statements.append(_statement(node, text))
        imports.pop("annotations", None)
        found[path] = {"statements": statements, "imports": imports}

    for path in paths:
        add(path)
    return found


def _follow(path: Path, node: ast.ImportFrom, alias: ast.alias, add: Callable[[Path], None]) -> None:
    """Add the module that a relative import takes a name from; the import of a whole module is not followed."""
    folder = path.parents[node.level - 1]
    source = folder.joinpath(*(node.module or "").split(".")).with_suffix(".py") if node.module else None
    if source is not None and source.is_file():
        add(source)


def _statement(node: ast.stmt, text: str) -> Statement:
    lines = text.splitlines()
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        defines = {node.name}
    else:
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        defines = {target.id for target in targets if isinstance(target, ast.Name)}
    uses = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return Statement(frozenset(defines), frozenset(uses), "\n".join(lines[first - 1 : node.end_lineno]))


def _refuse_clashes(statements: list[Statement], imports: dict) -> None:
    names = [name for statement in statements for name in statement.defines]
    if twice := sorted({name for name in names if names.count(name) > 1} | (set(names) & set(imports))):
        raise ValueError(f"several modules define {', '.join(twice)}; rename one, so that they fit into one file")


def _reached(names: set[str], statements: list[Statement]) -> set[str]:
    reached, todo = set(), set(names)
    while todo:
        name = todo.pop()
        reached.add(name)
        for statement in statements:
            if name in statement.defines:
                todo |= (statement.uses | statement.defines) - reached
    return reached


def _import_lines(imports: dict[str, tuple]) -> str:
    plain = sorted(f"import {name}" + (f" as {a}" if a else "") for module, name, a in imports.values() if not module)
    by_module: dict[str, list[str]] = {}
    for module, name, alias in imports.values():
        if module:
            by_module.setdefault(module, []).append(name + (f" as {alias}" if alias else ""))
    return "\n".join([*plain, *(f"from {m} import {', '.join(sorted(by_module[m]))}" for m in sorted(by_module))])
