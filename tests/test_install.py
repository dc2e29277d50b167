"""Real wheels in throwaway environments, against a regular and an editable Brain-Score."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[1]
SITE = Path(sysconfig.get_path("purelib"))
MODEL, BENCHMARK = "granularity_world_own_k2_s1", "World.IT-rsa"
SCORE = f"import brainscore_vision; print('value', brainscore_vision.score({MODEL!r}, {BENCHMARK!r}).item())"
OWN = ("brainscore_granularity", "__editable___brainscore_granularity", "__editable__.brainscore_granularity")


def run(*command, cwd=None, **environment):
    environment = {k: v for k, v in {**os.environ, **environment}.items() if k != "PYTHONPATH"}
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of what a clone would hold."""
    folder = tmp_path_factory.mktemp("checkout")
    files = run("git", "-C", REPOSITORY, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for name in files:
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, checkout)
    (built,) = folder.glob("*.whl")
    return built


class Environment:
    """A virtual environment that shares every installed package but Brain-Score and ours."""

    def __init__(self, folder: Path):
        run(sys.executable, "-m", "venv", "--without-pip", folder)
        self.python = folder / "bin" / "python"
        self.site = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
        shared = folder / "shared"
        shared.mkdir()
        for entry in SITE.iterdir():
            if not entry.name.startswith((*OWN, "brainscore_")) and entry.suffix != ".pth":
                (shared / entry.name).symlink_to(entry)
        (self.site / "shared.pth").write_text(f"{shared}\n")

    def add_brainscore(self, name: str) -> None:
        for entry in SITE.glob(f"{name}*"):
            (self.site / entry.name).symlink_to(entry)

    def pip(self, *arguments) -> None:
        run(sys.executable, "-m", "pip", "--python", self.python, *arguments)

    def listing(self) -> set[str]:
        return {
            str(path.relative_to(self.site))
            for path in self.site.rglob("*")
            if "__pycache__" not in path.parts and not path.name.startswith("conda_score--")
        }


def with_regular_brainscore(folder):
    environment = Environment(folder / "environment")
    environment.add_brainscore("brainscore_vision")
    environment.add_brainscore("brainscore_core")
    return environment


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """What is in the environment of `installed` before our wheel is."""
    environment = with_regular_brainscore(tmp_path_factory.mktemp("regular"))
    return environment, environment.listing()


@pytest.fixture(scope="module")
def installed(bare, wheel):
    """An environment with a regular Brain-Score and our wheel, until the last test of this file uninstalls it."""
    bare[0].pip("install", "--no-deps", "--no-index", wheel)
    return bare[0]


@pytest.fixture
def editable(tmp_path):
    """Brain-Score as its developers have it: `pip install -e` of a source folder."""
    environment = Environment(tmp_path / "environment")
    environment.add_brainscore("brainscore_core")
    source = tmp_path / "vision"
    source.mkdir()
    shutil.copytree(SITE / "brainscore_vision", source / "brainscore_vision", ignore=shutil.ignore_patterns("*.pyc"))
    (source / "setup.py").write_text(
        "from setuptools import setup\n"
        "setup(name='brainscore_vision', version='2.4.2', packages=['brainscore_vision'])\n"
    )
    environment.pip("install", "--no-deps", "--no-build-isolation", "--no-index", "-e", source)
    return environment


def test_wheel_and_regular_brainscore(bare, installed, tmp_path):
    added = installed.listing() - bare[1]
    assert "brainscore_granularity.pth" in added
    assert not [name for name in added if name.startswith("brainscore_vision")]  # nothing in Brain-Score's folder

    by_import = run(installed.python, "-W", "ignore", "-c", SCORE, cwd=tmp_path)
    value = float(by_import.split("value")[1])
    command = ["-m", "brainscore_vision", "score", f"--model_identifier={MODEL}", f"--benchmark_identifier={BENCHMARK}"]
    by_command = run(installed.python, "-W", "ignore", *command, cwd=tmp_path)
    assert 0.5 < value < 1 and str(value)[:8] in by_command

    well = run(installed.python.parent / "granularity", "doctor", cwd=tmp_path)
    assert "on at interpreter start" in well and "all is well" in well


def test_scoring_works_on_a_read_only_installation(installed, tmp_path):
    """brainscore_vision.score fails there, because it writes a pickle beside itself; `granularity score` does not."""
    root = installed.site.parents[2]
    if subprocess.run(["mount", "--bind", "-o", "ro", root, root], capture_output=True).returncode:
        pytest.skip("mounting a folder read-only needs root")
    try:
        command = ["score", "--models", MODEL, "--benchmarks", BENCHMARK, "--results", tmp_path / "results"]
        out = run(installed.python.parent / "granularity", *command, cwd=tmp_path)
        assert "1 scored, 0 failed" in out
        theirs = subprocess.run(
            [installed.python, "-W", "ignore", "-c", SCORE], capture_output=True, text=True, cwd=tmp_path
        )
        assert theirs.returncode and "Read-only file system" in theirs.stderr
        assert "use `granularity score`" in run(installed.python.parent / "granularity", "doctor", cwd=tmp_path)
    finally:
        subprocess.run(["umount", root], check=True)


def test_wheel_and_editable_brainscore(editable, wheel, tmp_path):
    editable.pip("install", "--no-deps", "--no-index", wheel)
    where = run(editable.python, "-W", "ignore", "-c", f"{SCORE}; print(brainscore_vision.__file__)", cwd=tmp_path)
    assert float(where.split("value")[1].split()[0]) > 0.5
    assert str(tmp_path / "vision") in where


def test_our_package_editable(checkout, tmp_path):
    regular = with_regular_brainscore(tmp_path)
    regular.pip("install", "--no-deps", "--no-build-isolation", "--no-index", "-e", checkout)
    assert not (regular.site / "brainscore_granularity.pth").exists()
    out = run(regular.python, "-W", "ignore", "-c", f"import brainscore_granularity; {SCORE}", cwd=tmp_path)
    assert float(out.split("value")[1]) > 0.5
    found = run(
        regular.python, "-c", "import brainscore_granularity.training.labels.rule as l; print(l.__file__)", cwd=tmp_path
    )
    assert str(checkout / "training") in found


def test_hook_cost_at_interpreter_start(installed):
    """The .pth adds less than a tenth of bare Python's own start-up (well under 1 ms where that is 10 to 30 ms)."""
    code = "import sys, time; t = time.perf_counter(); import brainscore_granularity.plugins"
    run(installed.python, "-S", "-c", "pass")
    timed = f"import sys; sys.path.insert(0, {str(installed.site)!r}); {code}; print(time.perf_counter() - t)"
    hook = min(float(run(installed.python, "-S", "-c", timed)) for _ in range(7))
    whole = (
        "import subprocess, sys, time; t = time.perf_counter(); subprocess.run([sys.executable, '-S', '-c', 'pass'])"
    )
    start = min(float(run(sys.executable, "-c", f"{whole}; print(time.perf_counter() - t)")) for _ in range(7))
    print(f"\nhook {hook * 1e3:.2f} ms, bare start-up {start * 1e3:.1f} ms")
    assert hook < 0.1 * start


def test_wheel_holds_the_package_and_nothing_else(wheel):
    import zipfile

    names = zipfile.ZipFile(wheel).namelist()
    roots = {name.split("/")[0] for name in names}
    assert {root for root in roots if not root.endswith(".dist-info")} == {
        "brainscore_granularity",
        "brainscore_granularity.pth",
    }
    plugin = "brainscore_granularity/_plugins/models/granularity_world"
    assert f"{plugin}/model.py" in names and f"{plugin}/region_layer_map/{MODEL}.json" in names
    assert [name for name in names if name.startswith(f"{plugin}/weights/") and name.endswith(".safetensors")]
    assert "brainscore_granularity/training/loop/loop.py" in names


def test_uninstalling_leaves_nothing(bare, installed):
    installed.pip("uninstall", "-y", "brainscore_granularity")
    assert installed.listing() == bare[1]
    off = run(installed.python, "-c", "import sys; print([type(f).__name__ for f in sys.meta_path])")
    assert "_WaitForBrainScore" not in off
