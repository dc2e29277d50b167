"""The networks of the study (docs/study.md): which, in which order, and their training, several processes at a time.

Every job is a command of ``granularity`` that resumes by itself, so that the study can be stopped at any moment. What
is done is told by what lies in the home folder: label tables and checkpoints.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from brainscore_granularity.paths import home
from brainscore_granularity.progress import progress, say
from brainscore_granularity.weights import checkpoints

from .labels.files import SUFFIXES

SETTING = ("--recipe tiny --precision bfloat16 --epochs 6 --warmup-epochs 0.5 --snapshots-mb 9").split()
EPOCHS, PRECISION = 6, "bfloat16"
POLL_SECONDS = 0.5
LADDER, ENDS = (2, 4, 8, 16, 32, 64), (8, 2, 64)
SEEDS = (1, 2, 3)


class Job(NamedTuple):
    """A command; ``makes`` is the id of a network, or the stem of the last label table that is written."""

    makes: str
    command: tuple[str, ...]  # a part such as @lite0_k8 stands for the path of that table
    needs: tuple[str, ...] = ()

    @property
    def is_network(self) -> bool:
        return self.command[0] == "train"


def jobs(is_a: Path | None = None) -> list[Job]:
    """All jobs in their order: seed 1 of everything, then seed 2, then 3.

    is_a : file for the taxonomy's labels (`granularity labels --is-a`); without it these are left out.
    """
    found = [_labels("lite0"), _network("native", None, 0)]
    found += [_network("native", None, 1), *(_network("lite0", k, 1) for k in (*ENDS, 4, 16, 32)), *_merged(1)]
    found += [_labels("own", "--checkpoint", "granularity_tiny_native_s0", needs=("granularity_tiny_native_s0",))]
    found += [_network("own", k, 1) for k in ENDS]
    for seed in SEEDS[1:]:
        found += [_network("native", None, seed), *(_network("lite0", k, seed) for k in (*ENDS, 4, 16, 32))]
        found += _merged(seed)
    sources = {"minor": (), "pixels": (), "untrainedpcs": ("--seed", "1"), "random": ("--seed", "1")}
    sources |= {"wordnet": ("--is-a", str(is_a))} if is_a else {}
    for source, more in sources.items():
        suffix = "_s1" if "--seed" in more else ""
        ks = ENDS if source != "random" else (8, 64)
        found.append(_labels(source, *more, ks=sorted(ks), suffix=suffix))
        found += [_network(source, k, 1, suffix) for k in ks]
    tables = ("--tables", "@lite0_k8", "@lite0_k64")
    found.append(_labels("permuted", "--seed", "1", *tables, ks=(), stem="permuted_lite0_k64_s1", needs=("lite0_k64",)))
    found += [
        Job(f"granularity_tiny_permuted_k{k}_s1", _train("permuted_lite0", k, 1, "_s1", f"permuted_k{k}_s1"),
            ("permuted_lite0_k64_s1",)) for k in (8, 64)
    ]  # fmt: skip
    found += [_network("own", k, seed) for seed in SEEDS[1:] for k in ENDS]
    return found


def _labels(source, *more, ks=LADDER, suffix="", stem=None, needs=()) -> Job:
    k = ("--k", *map(str, ks)) if ks else ()
    return Job(stem or f"{source}_k{max(ks)}{suffix}", ("labels", "--source", source, *more, *k), needs)


def _merged(seed: int) -> list[Job]:
    suffix = f"_s{seed}"
    labels = _labels("merged", "--seed", str(seed), ks=sorted(ENDS), suffix=suffix)
    return [labels, *(_network("merged", k, seed, suffix) for k in ENDS)]


def _network(source: str, k: int | None, seed: int, suffix: str = "") -> Job:
    name = f"{source}_k{k}_s{seed}" if k else f"{source}_s{seed}"
    last = max(LADDER if source in ("lite0", "own") else ENDS)
    return Job(
        f"granularity_tiny_{name}", _train(source, k, seed, suffix, name), (f"{source}_k{last}{suffix}",) if k else ()
    )


def _train(source, k, seed, suffix, name) -> tuple[str, ...]:
    labels = f"{source}_k{k}{suffix}" if k else source
    return ("train", *SETTING, "--labels", labels, "--seed", str(seed), "--name", f"granularity_tiny_{name}")


def table(stem: str) -> Path | None:
    """The file of a label table."""
    found = [path for suffix in SUFFIXES for path in sorted((home() / "labels").glob(f"*/{stem}{suffix}"))]
    return found[0] if found else None


def is_done(job: Job) -> bool:
    """Whether the tables of a job, or its network of the study's setting, are there."""
    if not job.is_network:
        return table(job.makes) is not None
    found = checkpoints.read(checkpoints.default_store(), job.makes)
    recipe = found.info.get("recipe", {}) if found else {}
    return (recipe.get("epochs"), recipe.get("precision")) == (EPOCHS, PRECISION)


def seconds_a_network(images: int = 60_000, steps: int = 12) -> float:
    """Time that one network takes on this processor, measured on a few steps of noise with one thread."""
    import torch

    from brainscore_granularity import networks

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    network = networks.build("tiny", 64, 0).train()
    optimizer = torch.optim.AdamW(network.parameters())
    pixels, labels = torch.randn(128, 3, 64, 64), torch.randint(64, (128,))
    for step in range(steps):
        if step == 2:  # the first ones are slower
            begun = time.monotonic()
        with torch.autocast("cpu", torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(network(pixels).float(), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.set_num_threads(threads)
    return (time.monotonic() - begun) / (steps - 2) * EPOCHS * images / len(labels)


def run(data: Path, which: list[Job], workers: int = 2) -> list[str]:
    """Run the jobs that are not done, each in a process of one thread; returns the names of those that failed.

    Output of a job goes to ``$BRAINSCORE_GRANULARITY_HOME/study/<name>.log``.
    """
    waiting = [job for job in which if not is_done(job)]
    ahead = {job.makes for job in waiting}  # not done yet, or failed
    failed: list[str] = []
    running: dict[Job, subprocess.Popen] = {}
    with progress("study", len(waiting)) as advance:
        try:
            while True:
                ready = [job for job in waiting if not ahead.intersection(job.needs)]
                for job in ready[: workers - len(running)]:
                    waiting.remove(job)
                    running[job] = _start(data, job)
                if not running:
                    return failed + [job.makes for job in waiting]
                time.sleep(POLL_SECONDS)
                for job in [job for job, process in running.items() if process.poll() is not None]:
                    if running.pop(job).returncode == 0:
                        ahead.remove(job.makes)
                    else:
                        failed.append(job.makes)
                        say(f"{job.makes} failed; see {_log(job)}")
                    advance(job.makes)
        finally:
            for process in running.values():
                process.terminate()


def _start(data: Path, job: Job) -> subprocess.Popen:
    verb, *rest = (str(table(part[1:])) if part.startswith("@") else part for part in job.command)
    command = [sys.executable, "-m", "brainscore_granularity.cli", verb, "--data", str(data), *rest]
    one_thread = dict(os.environ, OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    _log(job).parent.mkdir(parents=True, exist_ok=True)
    with _log(job).open("a") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=one_thread)


def _log(job: Job) -> Path:
    return home() / "study" / f"{job.makes}.log"
