"""Checks of this installation; each says what was found and what to do."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from brainscore_granularity import plugins
from brainscore_granularity.paths import HOME_VARIABLE, home


@dataclass(frozen=True)
class Finding:
    name: str
    ok: bool
    found: str
    fix: str = ""
    """What to do; empty if nothing is wrong."""


def check() -> list[Finding]:
    """Run every check."""
    checks = (
        _python, _torch, _brainscore, _hook, _identifiers, _home, _cache, _pip_at_load, _pickles, _gpu, _workers,
        _models, _data,
    )  # fmt: skip
    findings = []
    for one in checks:
        try:
            findings.append(one())
        except Exception as error:  # a broken installation must not hide the other findings
            findings.append(Finding(one.__name__.strip("_"), False, f"{type(error).__name__}: {error}", "see above"))
    return findings


def show(findings: list[Finding]) -> bool:
    """Print the findings; True if all is well."""
    for finding in findings:
        print(f"{'ok  ' if finding.ok else 'FIX '} {finding.name:18} {finding.found}")
        if finding.fix:
            print(f"{'':24}-> {finding.fix}")
    bad = sum(not finding.ok for finding in findings)
    print("\nall is well" if not bad else f"\n{bad} of {len(findings)} checks need fixing")
    return not bad


def _python() -> Finding:
    ok = sys.version_info[:2] == (3, 11)
    found = f"{sys.version.split()[0]} at {sys.executable}"
    return Finding("Python", ok, found, "" if ok else "Brain-Score's xarray needs Python 3.11: make a new environment")


def _torch() -> Finding:
    import torch

    fix = (
        "install a matching pair, both from the same index: pip uninstall torch torchvision, then "
        "pip install torch torchvision"
    )
    try:
        import torchvision
        from torchvision.ops import nms

        nms(torch.zeros(1, 4), torch.zeros(1), 0.5)  # fails if the two builds do not match
    except Exception as error:
        return Finding("torch, torchvision", False, f"torch {torch.__version__}; torchvision: {error}", fix)
    return Finding("torch, torchvision", True, f"{torch.__version__}, {torchvision.__version__}")


def _brainscore() -> Finding:
    from importlib.metadata import PackageNotFoundError, version

    found = f"brainscore_vision {version('brainscore_vision')}, brainscore_core {version('brainscore_core')}"
    try:
        version("brainio")
    except PackageNotFoundError:
        return Finding("Brain-Score", True, found)
    return Finding("Brain-Score", False, f"{found}, and brainio", "brainio is another project: pip uninstall brainio")


def _hook() -> Finding:
    import subprocess

    on = plugins.is_on()
    code = f"import sys; print(any(type(f).__name__ == '_WaitForBrainScore' for f in sys.meta_path))"  # noqa: F541
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "True"
    if fresh:
        return Finding("plugin hook", on, "on at interpreter start")
    found = "on after `import brainscore_granularity` only (an editable install or a checkout)"
    return Finding("plugin hook", on, found, "import brainscore_granularity before brainscore_vision.score")


def _identifiers() -> Finding:
    from brainscore_granularity.brains import catalogue

    clashes = [
        name
        for kind in ("models", "benchmarks")
        for name in set(catalogue.ours(kind)) & set(catalogue.brainscore(kind))
    ]
    counts = ", ".join(f"{len(catalogue.ours(kind))} {kind}" for kind in ("models", "benchmarks"))
    if clashes:
        return Finding("identifiers", False, f"also Brain-Score's: {', '.join(clashes)}", "update both packages")
    return Finding("identifiers", True, f"{counts}, none of them in Brain-Score too")


def _home() -> Finding:
    folder = home()
    found, fix = f"{folder} is writable", f"point ${HOME_VARIABLE} at a folder you can write to"
    if not _writable(folder):
        return Finding("home", False, f"{folder} is not writable", fix)
    return Finding("home", True, found)


def _cache() -> Finding:
    folder = Path(os.path.expanduser(os.getenv("RESULTCACHING_HOME", "~/.result_caching")))
    ok = _writable(folder)
    return Finding(
        "Brain-Score's cache",
        ok,
        f"{folder} is {'writable' if ok else 'not writable'}",
        "" if ok else "point $RESULTCACHING_HOME at a folder you can write to, or set RESULTCACHING_DISABLE=1",
    )


def _pip_at_load() -> Finding:
    value = os.getenv("BS_INSTALL_DEPENDENCIES", "yes")
    if value == "no":
        return Finding("pip at load", True, "off: BS_INSTALL_DEPENDENCIES=no")
    fix = "`granularity` switches it off; for your own scripts: export BS_INSTALL_DEPENDENCIES=no"
    return Finding("pip at load", True, f"BS_INSTALL_DEPENDENCIES={value}: Brain-Score runs pip at every load", fix)


def _pickles() -> Finding:
    from importlib.util import find_spec

    folder = Path(find_spec("brainscore_vision").submodule_search_locations[0]).parent
    stray, writable = sorted(folder.glob("conda_score--*.pkl")), os.access(folder, os.W_OK)
    found = f"{len(stray)} left by brainscore_vision.score in {folder}" if stray else f"none in {folder}"
    if not writable:
        fix = "brainscore_vision.score() cannot write there and fails; use `granularity score`"
        return Finding("score pickles", True, f"{found} (read-only)", fix)
    return Finding("score pickles", True, found, "may be deleted" if stray else "")


def _gpu() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding("GPU", True, ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())))
    return Finding("GPU", True, "none seen; everything runs on the CPU")


def _workers() -> Finding:
    import shutil
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = ", ".join(f"{name} {version(name)}" for name in ("distributed", "dask-jobqueue"))
    except PackageNotFoundError as error:
        fix = "for --workers, --cluster and --timeout: pip install 'brainscore_granularity[cluster]'"
        return Finding("workers", True, f"{error.name} is not installed; everything runs in one process", fix)
    commands = {"sbatch": "SLURM", "qsub": "PBS or SGE", "bsub": "LSF", "condor_submit": "HTCondor"}
    queues = [system for command, system in commands.items() if shutil.which(command)]
    return Finding("workers", True, f"{found}; queueing system here: {', '.join(queues) or 'none'}")


def _models() -> Finding:
    from brainscore_granularity.brains import catalogue

    states = {name: catalogue.model_state(name) for name in catalogue.ours("models")}
    ready = sum(how is None for _, how in states.values())
    fix = "" if ready == len(states) else "`granularity models` says how to make the others"
    return Finding("models", True, f"{ready} of {len(states)} ready", fix)


def _data() -> Finding:
    from brainscore_granularity.world import images

    drawn = sorted(folder.name for folder in (home() / "stimuli").glob("*") if (folder / "complete").exists())
    found = f"World ({images.N_FINE} classes) is embedded, no download needed"
    return Finding("data", True, f"{found}; drawn so far: {', '.join(drawn) or 'nothing'}")


def _writable(folder: Path) -> bool:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return existing.is_dir() and os.access(existing, os.W_OK)
