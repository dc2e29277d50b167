"""Every test run has folders of its own, runs no pip, and finds the real data where they are."""

import os
import tempfile
from pathlib import Path

import pytest

# Before anything imports torch, tqdm or Brain-Score, which read these once.
_folder = tempfile.TemporaryDirectory(prefix="granularity-tests-")
os.environ["BRAINSCORE_GRANULARITY_HOME"] = str(Path(_folder.name, "home"))
os.environ["RESULTCACHING_HOME"] = str(Path(_folder.name, "result_caching"))
os.environ["BRAINSCORE_HOME"] = str(Path(_folder.name, "brain-score"))
os.environ["BS_INSTALL_DEPENDENCIES"] = "no"
os.environ["TQDM_DISABLE"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.pop("BRAINSCORE_GRANULARITY_THINGS", None)  # comes before the local builds of tests; see things_concepts

import brainscore_granularity  # noqa: E402, F401  (switches the plugin hook on, also for `pytest models/...` alone)

# Processes to kill, environments, a browser, the site, and all pages of the documentation.
SLOW_FIXTURES = {"forked", "one_environment", "browser", "site", "failures"}


@pytest.hookimpl(tryfirst=True)  # before `-m` is applied
def pytest_collection_modifyitems(config, items):
    """Mark what is slow by its fixtures; of several test processes, each begins with files that have something slow."""
    for item in items:
        if SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


DATA_VARIABLE = "BRAINSCORE_GRANULARITY_TEST_DATA"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real validation data; tests that need it skip where it is absent."""
    folder = Path(os.environ.get(DATA_VARIABLE) or Path(__file__).parent.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no validation data at {folder}; set {DATA_VARIABLE}")
    return folder


def _read_by_plugin(real_data: Path, name: str, variable: str, monkeypatch) -> Path:
    """One of the folders of real data, which a plugin then reads; without it the test skips."""
    folder = real_data / name
    if not folder.is_dir():
        pytest.skip(f"no {name} in {real_data}")
    monkeypatch.setenv(f"BRAINSCORE_GRANULARITY_{variable}", str(folder))
    return folder


@pytest.fixture
def kriegeskorte92(real_data, monkeypatch) -> Path:
    """The real files of Kriegeskorte2008."""
    return _read_by_plugin(real_data, "kriegeskorte92", "KRIEGESKORTE92", monkeypatch)


@pytest.fixture
def cichy(real_data, monkeypatch) -> Path:
    """The real files of Cichy2014 and Cichy2016."""
    return _read_by_plugin(real_data, "cichy", "CICHY", monkeypatch)


@pytest.fixture
def things_concepts(real_data, monkeypatch) -> Path:
    """Real images of 1,824 of the 1,854 concepts of THINGS, with their embedding."""
    return _read_by_plugin(real_data, "things_subset", "THINGS", monkeypatch)


@pytest.fixture
def cowley_v4(real_data, monkeypatch) -> Path:
    """The real files of Cowley2023."""
    return _read_by_plugin(real_data, "cowley_v4", "COWLEY", monkeypatch)


@pytest.fixture
def candidate_plugin(tmp_path_factory, monkeypatch):
    """A plugin beside our models whose model is ``candidates.current["model"]``."""
    import candidates

    from brainscore_granularity import plugins

    ours, folder = plugins.plugin_directory, tmp_path_factory.getbasetemp() / "candidate"
    if not folder.exists():
        (folder / candidates.IDENTIFIER).mkdir(parents=True)
        (folder / candidates.IDENTIFIER / "__init__.py").write_text(candidates.PLUGIN)
    monkeypatch.setattr(plugins, "plugin_directory", lambda kind: folder if kind == "models" else ours(kind))


@pytest.fixture(scope="session")
def _small_data_folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("small_data")


@pytest.fixture
def small_data(_small_data_folder, monkeypatch):
    """``small_data("Li2026")`` puts a small data set of the same form and a known geometry under that name."""
    from small_data import install

    return lambda *names: install(monkeypatch, _small_data_folder, *names)


@pytest.fixture
def measured_benchmark():
    """``measured_benchmark("Li2026.V1-rsa")`` on the owners' data; skips where Brain-Score has not stored them here."""

    def load(identifier: str):
        from brainscore_vision import load_benchmark

        benchmark = load_benchmark(identifier)
        if not (status := benchmark.status()).startswith("ready"):
            pytest.skip(f"the data of {identifier} are not here: {status}")
        return benchmark

    return load


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty home for one test."""
    monkeypatch.setenv("BRAINSCORE_GRANULARITY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session", autouse=True)
def no_pickles_left():
    """brainscore_vision.score leaves a pickle beside the installed package for every pair it scores."""
    yield
    from importlib.util import find_spec

    found = find_spec("brainscore_vision")  # training is also tested without it
    for folder in found.submodule_search_locations if found else ():
        for path in Path(folder).parent.glob("conda_score--granularity_*.pkl"):
            path.unlink()
