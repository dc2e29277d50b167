"""The pull request of a benchmark: plugin folders in Brain-Score's layout, with copies of the modules they need."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from string import Template

from brainscore_granularity import __version__, plugins

PACKAGE = Path(__file__).parents[1]
LIBRARY = "library"
REFERENCES = ("alexnet", "pixels")  # models of Brain-Score

TEST = Template("""import pytest
from brainscore_vision import load_benchmark, load_model

# None: not measured when this was made, see README.md
SCORES = $scores


def test_loads_under_its_name():
    benchmark = load_benchmark("$identifier")
    assert benchmark.identifier == "$identifier" and benchmark.bibtex.strip().startswith("@")


@pytest.mark.parametrize("model", SCORES)
def test_reference_score(model):
    if SCORES[model] is None:
        pytest.skip(f"the score of {model} was not measured when this was made")
    assert load_benchmark("$identifier")(load_model(model)).item() == pytest.approx(SCORES[model], abs=0.005)
""")
README = Template("""# $identifier

$about

| model | score |
|---|---|
$scores

$data

`$library/` holds copies of modules of brainscore_granularity $version, so that the benchmark needs no package that
Brain-Score does not have; the references are in `references.bib`.
""")


def tree(identifier: str, references: Iterable[str] = REFERENCES) -> dict[str, bytes]:
    """Files by path of a pull request with one of our benchmarks; reference scores are measured where possible."""
    registered = plugins.registrations("benchmarks")
    if identifier not in registered:
        raise ValueError(
            f"{identifier} is not one of this package's benchmarks: {', '.join(registered)} "
            "(`granularity benchmarks` describes them)"
        )
    from brainscore_vision import load_benchmark

    benchmark, folder = load_benchmark(identifier), registered[identifier]
    place = f"brainscore_vision/benchmarks/{folder}"
    files = _plugin("benchmarks", folder, identifier)
    scores = {model: _score(benchmark, model) for model in references}
    data = _data_plugin(identifier)
    if data:
        files |= _plugin("data", *data)
        said = f"Its data come from `brainscore_vision/data/{data[0]}`."
    else:
        said = "It has no `data/` folder: its data are those that Brain-Score stores already, or a local build of them."
    if benchmark.simulated:
        said += " **The subjects are simulated: it is not for the leaderboard.**"
    values = {model: score if isinstance(score, float) else None for model, score in scores.items()}
    rows = "\n".join(f"| {model} | {score} |" for model, score in scores.items())
    texts = {
        "test.py": TEST.substitute(identifier=identifier, scores=repr(values).replace("'", '"')),
        "README.md": README.substitute(
            identifier=identifier, about=f"{type(benchmark).__name__}: {benchmark.summary}.", data=said,
            library=LIBRARY, version=__version__, scores=rows,
        ),
        "references.bib": benchmark.bibtex.strip() + "\n",
    }  # fmt: skip
    return files | {f"{place}/{name}": text.encode() for name, text in texts.items()}


def _score(benchmark, model: str) -> float | str:
    """The score of a model of Brain-Score, or the reason why it could not be measured."""
    from brainscore_vision import load_model

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Brain-Score's plugins use names that torchvision has deprecated
            return round(benchmark(load_model(model)).item(), 6)
    except Exception as error:  # any error is reported in the README
        why = " ".join(str(error).split()).replace("|", "/")
        return f"not measured ({type(error).__name__}: {why[:200]})"


def _data_plugin(identifier: str) -> tuple[str, str] | None:
    """Folder and identifier of our data plugin that a benchmark is named after; None if there is none."""
    registered = plugins.registrations("data", "data_registry")
    for name in (identifier, identifier.rpartition("-")[0]):
        if name in registered:
            return registered[name], name
    return None


def _plugin(kind: str, folder: str, identifier: str) -> dict[str, bytes]:
    """Files of a plugin that registers one identifier, with our modules below `LIBRARY`."""
    place = f"brainscore_vision/{kind}/{folder}"
    sources = sorted(set(plugins.plugin_directory(kind).joinpath(folder).glob("*.py")))
    texts = {path.name: path.read_text(encoding="utf-8") for path in sources if path.name != "test.py"}
    registry = "benchmark_registry" if kind == "benchmarks" else "data_registry"
    texts["__init__.py"] = _only(texts["__init__.py"], registry, identifier)
    library = _modules(ast.parse(text) for text in texts.values())
    files = {name: _relative(text, f".{LIBRARY}") for name, text in texts.items()}
    files[f"{LIBRARY}/__init__.py"] = (
        f'"""Modules of brainscore_granularity {__version__}."""\n\n__version__ = "{__version__}"\n'
    )
    for module in library:
        path = module.relative_to(PACKAGE)
        files[f"{LIBRARY}/{path.as_posix()}"] = _relative(module.read_text(encoding="utf-8"), "." * len(path.parts))
    return {f"{place}/{name}": text.encode() for name, text in files.items()}


def _only(text: str, registry: str, identifier: str) -> str:
    """A plugin's `__init__.py` without the other registrations; Brain-Score scores every one on all public models."""
    dropped: set[int] = set()
    for node in ast.parse(text).body:
        target = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
        if target.startswith(f"{registry}[") and target != f"{registry}[{identifier!r}]":
            dropped.update(range(node.lineno, node.end_lineno + 1))
    kept = [line for n, line in enumerate(text.splitlines(), 1) if n not in dropped and not line.startswith("#")]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(kept).rstrip()) + "\n"


def _relative(text: str, root: str) -> str:
    """Make imports of our package relative; root is the relative path to its copy."""

    def renamed(found: re.Match) -> str:
        module = found[2].lstrip(".")
        dot = "." if module and not root.endswith(".") else ""
        return f"{found[1]}{root}{dot}{module} import"

    return re.sub(r"^(\s*from )brainscore_granularity((?:\.\w+)*) import", renamed, text, flags=re.MULTILINE)


def _modules(trees: Iterable[ast.Module]) -> list[Path]:
    """Our modules that some code imports, also inside functions, and the modules that these import."""
    todo = [path for tree in trees for path in _imported(tree, PACKAGE)]
    found: set[Path] = set()
    while todo:
        path = todo.pop()
        if path not in found and path != PACKAGE / "__init__.py":
            found.add(path)
            todo += _imported(ast.parse(path.read_text(encoding="utf-8")), path.parent)
    return sorted(found)


def _imported(tree: ast.Module, folder: Path) -> list[Path]:
    files = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        parts = (node.module or "").split(".") if node.module else []
        if node.level:
            base = [folder, *folder.parents][node.level - 1].joinpath(*parts)
        elif parts[0] == PACKAGE.name:
            base = PACKAGE.joinpath(*parts[1:])
        else:
            continue
        if PACKAGE not in (base, *base.parents):
            continue  # the plugin's own modules
        candidates = [base, *(base / alias.name for alias in node.names)]
        candidates += [parent for parent in base.parents if PACKAGE in parent.parents]  # parent packages
        for candidate in candidates:
            files += [path for path in (candidate.with_suffix(".py"), candidate / "__init__.py") if path.is_file()]
    return files
