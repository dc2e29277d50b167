"""What every plugin folder must have, and that what one plugin names exists in another."""

from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import brainscore_vision
import pytest
from brainscore_core.plugin_management.parse_plugin_changes import get_plugin_ids
from brainscore_vision import load_benchmark, load_model_bibtex
from pybtex.database import parse_string

from brainscore_granularity import plugins
from brainscore_granularity.brains import catalogue, selection
from brainscore_granularity.datasets import laion_fmri, sources, things

REGISTRIES = {
    "models": ("model_registry",),
    "benchmarks": ("benchmark_registry",),
    "data": ("data_registry", "stimulus_set_registry"),
}
FOLDERS = [
    pytest.param(kind, folder, id=f"{kind}/{folder.name}")
    for kind in plugins.PLUGIN_TYPES
    for folder in sorted(plugins.plugin_directory(kind).iterdir())
    if folder.is_dir() and not folder.name.startswith(("_", "."))
]
BRAINSCORE = Path(find_spec("brainscore_vision").submodule_search_locations[0])
OURS_BY_REGISTRY = [(kind, registry) for kind, registries in REGISTRIES.items() for registry in registries]


def test_there_are_plugins_of_every_kind():
    assert {param.values[0] for param in FOLDERS} == set(plugins.PLUGIN_TYPES) == set(REGISTRIES)


@pytest.mark.parametrize(("kind", "folder"), FOLDERS)
def test_a_plugin_has_its_files_and_tests(kind, folder):
    needed = {"models": {"model.py"}, "benchmarks": {"benchmark.py"}, "data": set()}[kind]
    assert {"__init__.py", "test.py", *needed} <= {path.name for path in folder.iterdir()}
    assert "\ndef test_" in (folder / "test.py").read_text()


@pytest.mark.parametrize(("kind", "folder"), FOLDERS)
def test_what_python_registers_is_what_the_text_says(kind, folder, monkeypatch):
    """Brain-Score reads the text: a loop or an f-string would register what nobody can load."""
    name = f"brainscore_vision.{kind}.{folder.name}"
    plugins._add_to_search_path(kind)
    module, found = import_module(name), {registry: {} for registry in REGISTRIES[kind]}
    for registry, registered in found.items():
        monkeypatch.setattr(brainscore_vision, registry, registered)
    text = (folder / "__init__.py").read_text()
    exec(compile(text, str(folder), "exec"), {"__name__": name, "__package__": name})
    for registry, registered in found.items():
        read = [identifier for identifier, where in plugins.scan(folder.parent, registry) if where == folder.name]
        assert list(registered) == read, registry
    assert any(found.values()) and module.__doc__
    main = REGISTRIES[kind][0]
    ids = get_plugin_ids(plugin_type=kind, new_plugin_dirs=[folder.name], domain_root=str(folder.parent.parent))
    assert set(ids) == set(found[main])  # what Brain-Score's own checks would score


@pytest.mark.parametrize(("kind", "registry"), OURS_BY_REGISTRY)
def test_no_identifier_twice(kind, registry):
    """Neither here nor in Brain-Score."""
    ours = [name for name, _ in plugins.scan(plugins.plugin_directory(kind), registry)]
    theirs = {name for name, _ in plugins.scan(BRAINSCORE / kind, registry)}
    assert ours and theirs
    assert not [name for name, count in Counter(ours).items() if count > 1] and not theirs & set(ours)


def test_identifiers_can_be_file_names_and_models_leaderboard_names():
    assert not [name for kind, registry in OURS_BY_REGISTRY for name in plugins.registrations(kind, registry)
                if "/" in name or " " in name]  # fmt: skip
    assert not [name for name in catalogue.ours("models") if "-" in name]


def test_our_plugins_have_nothing_that_brain_score_would_pip_install():
    assert not [p for _, folder in (param.values for param in FOLDERS)
                for p in (folder / "requirements.txt", folder / "setup.py") if p.exists()]  # fmt: skip


class Asked(Exception):
    """A benchmark has asked for its data."""


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Identifiers of the data that are loaded; none is. Local builds, and images to agree to, are taken to be there."""
    found = []
    (tmp_path / "manifest.csv").touch()
    monkeypatch.setenv(laion_fmri.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.delenv(things.FOLDER_VARIABLE, raising=False)

    def note(library, kind, identifier, **settings):
        if kind == "data":
            found.append(identifier)
            raise Asked(identifier)
        return imported(library, kind, identifier, **settings)

    imported = brainscore_vision.import_plugin
    monkeypatch.setattr(brainscore_vision, "import_plugin", note)
    monkeypatch.setattr(sources.Source, "_local_state", lambda source: "ready" if source.local else "missing")
    return found


KNOWN_DATA = {name for name, _ in plugins.scan(BRAINSCORE / "data", "data_registry")} | set(
    plugins.registrations("data", "data_registry")
)


def all_data_exist(benchmark, asked) -> bool:
    with pytest.raises((Asked, sources.DataMissing)):
        benchmark._load()
    return bool(asked) and set(asked) <= KNOWN_DATA


@pytest.mark.parametrize("identifier", catalogue.ours("benchmarks"))
def test_the_data_of_a_benchmark_exist(identifier, asked):
    """From Brain-Score's store, and from a local build where that fails."""
    assert all_data_exist(load_benchmark(identifier), asked), asked


@pytest.mark.parametrize("name", selection.SELECTIONS)
def test_the_data_on_which_layers_are_chosen_exist(name, asked):
    for benchmark in selection.SELECTIONS[name]():
        assert all_data_exist(benchmark, asked), asked


@pytest.mark.parametrize("identifier", catalogue.ours("benchmarks"))
def test_a_benchmark_cites_what_can_be_found(identifier):
    entries = parse_string(load_benchmark(identifier).bibtex, "bibtex").entries.values()
    assert entries and all({"year", "url", "title"} <= set(e.fields) and "author" in e.persons for e in entries)


@pytest.mark.parametrize("folder", sorted(set(plugins.registrations("models").values())))
def test_a_model_cites_one_entry_that_can_be_found(folder):
    """As the leaderboard asks."""
    identifier = next(name for name, where in plugins.registrations("models").items() if where == folder)
    (entry,) = parse_string(load_model_bibtex(identifier), "bibtex").entries.values()
    assert {"year", "url", "title"} <= set(entry.fields) and "author" in entry.persons
