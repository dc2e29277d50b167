"""The house has floors: a wing imports what lies below it, nothing above, and nothing in a circle."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "brainscore_granularity"

# From the ground up; the wings of one line know nothing of each other.
FLOORS = (
    ("plugins", "paths", "progress", "threads"),
    ("download", "rsa", "networks"),
    ("stats", "weights"),
    ("training", "datasets"),
    ("brains",),
    ("runner",),
    ("report",),
    ("world", "analysis", "submission"),
    ("cli",),
)
LEVEL = {wing: level for level, wings in enumerate(FLOORS) for wing in wings}
TRAINING_MAY = {"networks", "weights", "training", *FLOORS[0]}
PLUGINS_MAY = {"brains", "datasets", "rsa", "stats", "weights", "networks", "download", *FLOORS[0]}
AT_THE_TERMINAL = ("cli", "progress")  # nothing else prints, or reads arguments
A_SCRIPT = f"{PACKAGE}.submission.probe"  # run by another interpreter, which is answered on its output


def modules() -> dict[str, Path]:
    """Every module of the package, by name."""
    found = {}
    for folder in (PACKAGE, "training"):
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            parts = parts if folder == PACKAGE else (PACKAGE, *parts)
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imported(path: Path, name: str) -> set[str]:
    """What a module imports, wherever in it: names of ours as far as they are modules, others as they stand."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if node.level else []
            base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [node.module])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.add(whole if whole in MODULES else base)
    return found


IMPORTS = {name: imported(path, name) for name, path in MODULES.items()}


def wing(module: str) -> str:
    """The wing or room of a module: what follows the package's name."""
    return (*module.split("."), "")[1]


def test_every_room_has_a_floor():
    assert {wing(name) for name in MODULES} - {""} == set(LEVEL)


@pytest.mark.parametrize("name", MODULES)
def test_nothing_is_imported_from_above_or_beside(name):
    own = wing(name)
    if not own:  # the package itself knows its public names only when they are used
        return
    for other in {wing(target) for target in IMPORTS[name] if target in MODULES} - {own, ""}:
        assert LEVEL[other] < LEVEL[own], f"{name} imports from {other}, which is not below {own}"


def test_what_is_imported_of_the_package_exists():
    for name, targets in IMPORTS.items():
        ours = {target for target in targets if target.split(".")[0] == PACKAGE}
        assert ours <= {*MODULES, PACKAGE}, f"{name} imports {sorted(ours - set(MODULES))}, which is not there"


def test_there_is_no_circle():
    edges = {name: {t for t in targets if t in MODULES and t != name} for name, targets in IMPORTS.items()}
    state, path = defaultdict(int), []

    def visit(name):
        state[name] = 1
        path.append(name)
        for target in sorted(edges[name]):
            assert state[target] != 1, f"a circle: {' -> '.join([*path[path.index(target) :], target])}"
            if state[target] == 0:
                visit(target)
        path.pop()
        state[name] = 2

    for name in sorted(edges):
        if state[name] == 0:
            visit(name)


def test_training_knows_neither_brainscore_nor_what_lies_above_it():
    for name in (name for name in MODULES if wing(name) == "training"):
        roots = {target.split(".")[0] for target in IMPORTS[name]}
        assert not roots & {"brainscore_vision", "brainscore_core", "xarray"}, name
        assert {wing(t) for t in IMPORTS[name] if t in MODULES} - {""} <= TRAINING_MAY, name


@pytest.mark.parametrize("kind", ["models", "benchmarks", "data"])
def test_plugins_use_the_lower_wings_only(kind):
    for path in sorted((ROOT / kind).glob("*/*.py")):
        own = {"world"} if path.parent.name == "granularity_world" else set()  # the world's plugins show the world
        targets = {target for target in imported(path, f"{kind}.{path.parent.name}.x") if target in MODULES}
        assert {wing(target) for target in targets} - {""} <= PLUGINS_MAY | own, path


@pytest.mark.parametrize("name", [name for name in MODULES if wing(name) not in AT_THE_TERMINAL and name != A_SCRIPT])
def test_only_the_command_line_prints_and_reads_arguments(name):
    assert not {target.split(".")[0] for target in IMPORTS[name]} & {"tyro", "argparse"}, name
    calls = [node for node in ast.walk(ast.parse(MODULES[name].read_text())) if isinstance(node, ast.Call)]
    printed = [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"]
    assert not printed, f"{name} prints in line {printed[0]}; hand the line to the caller, or use progress.note"


def test_few_rooms_stand_loose_and_few_floors_are_needed():
    assert len(list((ROOT / PACKAGE).glob("*.py"))) <= 6
    assert len([p for p in (ROOT / PACKAGE).iterdir() if (p / "__init__.py").is_file()]) <= 12
    assert len(FLOORS) <= 11
