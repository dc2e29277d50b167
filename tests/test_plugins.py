import os
import statistics
import subprocess
import sys
import time

import pytest
from brainscore_core.plugin_management.import_plugin import ImportPlugin

from brainscore_granularity import plugins
from brainscore_granularity.world import study


def plugin_folder(root, plugin_type, folder, registration):
    path = root / plugin_type / folder
    path.mkdir(parents=True)
    (path / "__init__.py").write_text(registration + "\n")


@pytest.fixture
def other_plugins(tmp_path, monkeypatch):
    """Our plugin folders replaced by empty ones."""
    monkeypatch.setattr(plugins, "plugin_directory", lambda plugin_type: tmp_path / plugin_type)
    return tmp_path


def test_registered_models_are_those_of_the_study_and_each_has_weights_and_layers():
    registered = plugins.registrations("models")
    world = [name for name, folder in registered.items() if folder == "granularity_world"]
    assert sorted(world) == sorted(study.MODELS)
    plugin = plugins.plugin_directory("models") / "granularity_world"
    assert {p.stem for p in (plugin / "weights").glob("*.json")} == {*study.MODELS, study.LABEL_SOURCE}
    assert {p.stem for p in (plugin / "region_layer_map").glob("*[0-9].json")} == set(study.MODELS)


def test_stimulus_sets_are_found_by_their_own_registry():
    assert "World" in plugins.registrations("data", "stimulus_set_registry")
    assert "World" not in plugins.registrations("data")


def test_brain_scores_own_plugins_are_still_found():
    assert ImportPlugin("brainscore_vision", "models", "alexnet").plugin_dirname == "alexnet"


def test_unknown_identifier_fails_as_in_brain_score():
    with pytest.raises(AssertionError, match="No registrations found for no_such_model"):
        ImportPlugin("brainscore_vision", "models", "no_such_model")


def test_switching_on_again_changes_nothing():
    before = ImportPlugin.locate_plugin
    plugins.switch_on()
    assert ImportPlugin.locate_plugin is before and plugins.is_on()


def test_an_identifier_that_brain_score_has_too_is_refused_and_both_are_named(other_plugins):
    plugin_folder(other_plugins, "models", "mine", "model_registry['alexnet'] = None")
    with pytest.raises(plugins.PluginClash) as error:
        ImportPlugin("brainscore_vision", "models", "alexnet")
    assert str(other_plugins / "models" / "mine") in str(error.value)
    assert os.path.join("brainscore_vision", "models", "alexnet") in str(error.value)


def test_a_folder_name_that_brain_score_has_too_is_refused(other_plugins):
    plugin_folder(other_plugins, "models", "alexnet", "model_registry['new_model'] = None")
    with pytest.raises(plugins.PluginClash, match="folder name 'alexnet'"):
        ImportPlugin("brainscore_vision", "models", "new_model")


def test_one_identifier_in_two_of_our_folders_is_refused(other_plugins):
    plugin_folder(other_plugins, "models", "a", "model_registry['twice'] = None")
    plugin_folder(other_plugins, "models", "b", 'model_registry["twice"] = None')
    with pytest.raises(plugins.PluginClash, match="registered in a and in b"):
        plugins.registrations("models")


@pytest.mark.slow
def test_cost_at_interpreter_start(tmp_path):
    """The hook costs less than a tenth of bare Python's own start-up, importing the package less than one start-up
    and `granularity --help` less than fifteen: far inside 1 ms, 0.3 s and 0.5 s where Python starts in 10 to 30 ms."""
    code = "import time; t = time.perf_counter(); import brainscore_granularity.plugins; print(time.perf_counter() - t)"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path)  # compiled, as in an installed package

    def run_python(code):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True, text=True)
        return time.perf_counter() - start, done.stdout

    bare, package, help_, inside = [], [], [], []
    for _ in range(7):
        bare.append(run_python("pass")[0])
        package.append(run_python("import brainscore_granularity")[0])
        help_.append(run_python("from brainscore_granularity.cli.main import main; main(['--help'])")[0])
        inside.append(float(run_python(code)[1]))
    bare, package, help_, inside = (statistics.median(x) for x in (bare, package, help_, inside))
    print(
        f"\nbare Python {bare * 1e3:.1f} ms; hook {inside * 1e3:.2f} ms; import {package * 1e3:.1f} ms; "
        f"--help {help_ * 1e3:.0f} ms"
    )
    assert inside < 0.1 * bare
    assert package < 2 * bare
    assert help_ < 15 * bare
