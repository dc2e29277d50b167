"""Workers: on this computer, as jobs of a queueing system, or of a Dask scheduler that is already running."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from brainscore_granularity.threads import cores

from .dispatch import Pool

QUEUES = {
    "slurm": "SLURMCluster",
    "pbs": "PBSCluster",
    "lsf": "LSFCluster",
    "sge": "SGECluster",
    "oar": "OARCluster",
    "htcondor": "HTCondorCluster",
    "moab": "MoabCluster",
}
NO_DASHBOARD = {"dashboard": False, "dashboard_address": ":0"}  # Dask binds the address even without a dashboard
SETTINGS = {"OMP_WAIT_POLICY": "PASSIVE", "TQDM_DISABLE": "1", "BS_INSTALL_DEPENDENCIES": "no"}


@dataclass(frozen=True)
class Workers:
    """Where workers run, and what each may use."""

    number: int = 1
    cluster: str | None = None  # one of QUEUES; None: this computer
    scheduler: str | None = None  # address of a running Dask scheduler
    cores: int | None = None  # per worker; on this computer, by default, an equal share
    memory: str | None = None  # per worker, "4GB"; on this computer, by default, an equal share
    walltime: str | None = None
    queue: str | None = None
    interface: str | None = None  # network interface by which jobs reach this computer
    logs: Path = Path("logs")  # folder for the logs of the jobs

    def __post_init__(self):
        if self.cluster and self.scheduler:
            raise ValueError("give --cluster or --scheduler, not both")
        if self.cluster is not None and self.cluster not in QUEUES:
            raise ValueError(f"unknown --cluster {self.cluster!r}; known: {', '.join(QUEUES)}")
        if self.number < 1:
            raise ValueError(f"--workers must be at least 1, got {self.number}")


@contextmanager
def workers(wanted: Workers) -> Iterator[Pool]:
    """Start (or find) the workers; at the end, stop those that were started."""
    require_dask(wanted.cluster)
    import dask
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.ERROR)  # lost workers are reported as failed pairs
    quiet = {
        "distributed.admin.large-graph-warning-threshold": "1GB",
        "distributed.worker.memory.target": False,  # workers hold no data that could be moved to disk
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.deploy.lost-worker-timeout": "10s",
    }
    with dask.config.set(quiet):
        if wanted.scheduler:
            with Client(wanted.scheduler, timeout=10) as client:
                yield Pool(client, f"Start workers for {wanted.scheduler}.")
            return
        make = _queued if wanted.cluster else _local
        with make(wanted) as cluster, Client(cluster) as client:
            if wanted.cluster:
                advice = f"The jobs' logs are in {wanted.logs}."
                yield Pool(client, advice, _reviver(cluster, wanted.number))
            else:
                yield Pool(client, "Workers of this computer could not be kept alive.")


def require_dask(cluster: str | None = None) -> None:
    """Raise an error that says how to install missing packages."""
    from importlib.util import find_spec

    for module in ("distributed", *(["dask_jobqueue"] if cluster else [])):
        if find_spec(module) is None:
            raise ImportError(
                f"workers need {module}, which is not installed: pip install 'brainscore_granularity[cluster]'"
            )


def _local(wanted: Workers):
    """Worker processes on this computer, each with its share of cores and memory, and a GPU where there are any."""
    from distributed import Nanny, Scheduler, SpecCluster

    threads = wanted.cores or max(1, cores() // wanted.number)
    gpus = _gpus()
    spec = {}
    for i in range(wanted.number):
        environment = {**SETTINGS, "OMP_NUM_THREADS": str(threads)}
        if gpus:
            environment["CUDA_VISIBLE_DEVICES"] = gpus[i % len(gpus)]
        options = {
            "nthreads": 1,
            "env": environment,
            "memory_limit": wanted.memory or _share(wanted.number),
            **NO_DASHBOARD,
            "silence_logs": logging.CRITICAL,
        }
        spec[i] = {"cls": Nanny, "options": options}
    scheduler = {"cls": Scheduler, "options": {"host": "127.0.0.1", "port": 0, **NO_DASHBOARD}}
    return SpecCluster(workers=spec, scheduler=scheduler, silence_logs=logging.CRITICAL)


def _queued(wanted: Workers):
    """Jobs of a queueing system, one worker each; more settings in Dask's own jobqueue.yaml."""
    import dask_jobqueue

    threads = wanted.cores or 1
    settings = {**SETTINGS, "OMP_NUM_THREADS": threads}
    given = {"walltime": wanted.walltime, "queue": wanted.queue, "interface": wanted.interface}
    wanted.logs.mkdir(parents=True, exist_ok=True)
    cluster = getattr(dask_jobqueue, QUEUES[str(wanted.cluster)])(
        cores=threads,
        processes=1,
        memory=wanted.memory or "4GB",
        python=sys.executable,
        log_directory=str(wanted.logs),
        scheduler_options=NO_DASHBOARD,
        worker_extra_args=["--nthreads", "1"],  # one pair at a time, which computes on all cores
        job_script_prologue=[f"export {key}={value}" for key, value in settings.items()],
        silence_logs="critical",
        **{key: value for key, value in given.items() if value is not None},
    )
    cluster.scale(jobs=wanted.number)
    return cluster


def _reviver(cluster, number: int):
    """A function that submits ended jobs again; in all, at most as many as there were jobs at the start."""
    left = [number]

    def revive():
        missing = number - len(cluster.workers)
        if missing > 0 and left[0] > 0:
            left[0] -= missing
            cluster.scale(jobs=number)

    return revive


def _gpus() -> list[str]:
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible:
        return visible.split(",")
    return [str(i) for i in range(torch.cuda.device_count())]


def _share(number: int) -> int:
    from distributed.system import MEMORY_LIMIT

    return int(MEMORY_LIMIT / number)
