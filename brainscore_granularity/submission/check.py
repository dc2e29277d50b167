"""Check a zip: the website's rules, then in a new environment Brain-Score's tests, its own test, and a score."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from . import archive, environment, rules

BENCHMARK = "World.IT-rsa"
TOLERANCE = 1e-6


class CheckFailed(ValueError):
    """A submission does not work; the message says which step failed, and how.

    output : everything that the step printed.
    """

    def __init__(self, message: str, output: str = ""):
        super().__init__(message)
        self.output = output


def check(path: Path, model: str | None, say: Callable[[str], None] = print) -> float:
    """Test a zip as the website does, and return its score on `BENCHMARK`; raises at the first failure.

    Everything that a failing step printed is kept in ``<zip>.log``, beside the zip.

    model : our installed model whose score must be equal; None: the one with the zip's identifier.
    """
    log = path.with_name(f"{path.name}.log")
    log.unlink(missing_ok=True)
    try:
        return _check(path, model, say)
    except CheckFailed as error:
        if not error.output:
            raise
        log.write_text(error.output, encoding="utf-8")
        raise CheckFailed(f"{error}; all that it printed: {log}", error.output) from None


def _check(path: Path, model: str | None, say: Callable[[str], None]) -> float:
    start = time.perf_counter()
    submission = rules.check(path, rules.known_to_brainscore())
    name, (_, plugin) = submission.registrations[0], submission.plugins[0]
    say(f"{path.name}, {path.stat().st_size / 1e6:.2f} MB: follows all {len(rules.RULES)} rules")
    with tempfile.TemporaryDirectory(prefix="granularity-submit-") as temporary:
        folder = Path(temporary)
        archive.unpack(path, folder / "zip")
        source = folder / "zip" / submission.root / "models" / plugin
        needs = (
            tuple((source / "requirements.txt").read_text().split()) if (source / "requirements.txt").exists() else ()
        )
        python, brainscore = environment.make(folder / "environment", needs)
        source.rename(brainscore / "models" / plugin)
        _draw_missing_pictures(brainscore / "model_helpers" / "generic_plugin_tests_resources")
        say("fresh environment with Brain-Score and what it requires, without brainscore_granularity")
        place = brainscore / "models" / plugin
        generic = brainscore / "model_helpers" / "generic_plugin_tests.py"
        options = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore"]
        out = _run(folder, python, *options, generic, "--plugin_directory", place, what="Brain-Score's generic checks")
        say(f"  Brain-Score's generic checks: {out.strip().splitlines()[-1]}")
        out = _run(folder, python, *options, place / "test.py", what="its own test.py")
        say(f"  its own test.py: {out.strip().splitlines()[-1]}")
        score = _compare(folder, python, name, model, say)
    say(f"it works ({time.perf_counter() - start:.0f} s)")
    return score


def _compare(folder: Path, python: Path, name: str, model: str | None, say: Callable[[str], None]) -> float:
    import numpy as np
    from brainscore_vision import load_benchmark

    from brainscore_granularity import rsa
    from brainscore_granularity.brains.catalogue import ours

    from .plugin import as_submitted

    benchmark = load_benchmark(BENCHMARK)
    ids = [str(stimulus) for stimulus in benchmark.order]
    paths = [str(benchmark.stimulus_set.get_stimulus(stimulus)) for stimulus in ids]
    job = {"identifier": name, "region": benchmark.region, "ids": ids, "paths": paths}
    job["features"] = str(folder / "features.npy")
    (folder / "job.json").write_text(json.dumps(job))
    probe = Path(__file__).with_name("probe.py")
    out = _run(folder, python, "-W", "ignore", probe, folder / "job.json", what="loading and recording")
    found = json.loads(out.strip().splitlines()[-1])
    say(
        f"  on the CPU: loaded in {found['load']:.1f} s, {len(ids)} images in {found['look']:.1f} s, "
        f"at most {found['memory'] / 1e9:.1f} GB of memory"
    )
    if found["degrees"] != benchmark.visual_degrees:
        raise CheckFailed(f"{name} sees {found['degrees']} degrees, expected {benchmark.visual_degrees}")
    theirs = benchmark.compare(rsa.rdm(np.load(job["features"]))).item()
    model = model or name
    if model not in ours("models"):
        say(f"  {BENCHMARK}: {theirs:.6f}; no installed model is called {model}, so nothing to compare it with")
        return theirs
    installed = benchmark(as_submitted(model)).item()
    if abs(theirs - installed) > TOLERANCE:
        raise CheckFailed(
            f"{name} scores {theirs:.6f} on {BENCHMARK}, the installed {model} with its weights in half precision "
            f"{installed:.6f}, expected a difference of at most {TOLERANCE:g}: other weights or layers? "
            "Make the zip again"
        )
    say(f"  {BENCHMARK} (simulated subjects): {theirs:.6f} from the zip, {installed:.6f} installed: equal")
    return theirs


def _run(folder: Path, python: Path, *arguments, what: str, **settings: str) -> str:
    """Run the environment's Python without the user's settings and caches; raises with the end of its output.

    settings : additional environment variables.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "BRAINSCORE_", "PYTEST_"))}
    own = {"HOME": "home", "RESULTCACHING_HOME": "cache", "BRAINSCORE_HOME": "data", "TORCH_HOME": "torch"}
    settings |= {k: str(folder / v) for k, v in own.items()}
    settings |= {"BS_INSTALL_DEPENDENCIES": "no", "TQDM_DISABLE": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [str(part) for part in (python, "-I", "-B", *arguments)]
    done = subprocess.run(command, cwd=folder, env=kept | settings, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        wrong = [line for line in lines if line.startswith("E  ")] or lines[-1:]
        raise CheckFailed(f"{what} failed: {' '.join(wrong[-1:])[:800]}", done.stdout + done.stderr)
    return done.stdout


def _draw_missing_pictures(folder: Path) -> None:
    """Draw three pictures that Brain-Score's generic checks need but its wheels do not contain."""
    import numpy as np
    from PIL import Image

    folder.mkdir(exist_ok=True)
    for seed, name in enumerate(("rgb1.jpg", "rgb2.jpg", "rgb3.png")):
        if not (folder / name).exists():
            Image.fromarray(np.random.default_rng(seed).integers(0, 256, (256, 256, 3), np.uint8)).save(folder / name)
