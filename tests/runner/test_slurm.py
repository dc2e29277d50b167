"""A real SLURM on this computer: one node on loopback, as docs/cluster.md shows it. Debian: slurm-wlm and munge."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from brainscore_granularity.runner import results

pytest.importorskip("dask_jobqueue", reason="clusters need the extra `cluster`")
pytestmark = pytest.mark.slow
MODELS = ["granularity_world_own_k2_s1", "granularity_world_untrained_s1"]
BENCHMARKS = ["World.V1-rsa", "World.IT-rsa", "World_null.triplet"]
CONFIGURATION = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
KillWait=2
MailProg=/bin/true
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000 State=UNKNOWN
PartitionName=loopback Nodes={host} Default=YES State=UP
"""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """Environment in which the commands of a running one-node SLURM work."""
    absent = [
        name for name in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(name, path=search_path()) is None
    ]
    if absent:
        pytest.skip(f"no {', '.join(absent)}: apt-get install slurm-wlm munge")
    if os.geteuid() != 0:
        pytest.skip("SLURM's daemons run as root")
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "key").write_bytes(os.urandom(1024))
    (folder / "key").chmod(0o400)
    host, ports = socket.gethostname().split(".")[0], free_ports(2)
    configuration = CONFIGURATION.format(host=host, folder=folder, ports=ports, cpus=os.cpu_count())
    (folder / "slurm.conf").write_text(configuration)
    environment = {**os.environ, "PATH": search_path(), "SLURM_CONF": str(folder / "slurm.conf")}
    munge = [f"--{name}={folder}/{file}" for name, file in (
        ("key-file", "key"), ("socket", "munge.socket"), ("pid-file", "munged.pid"), ("seed-file", "seed"),
        ("log-file", "munged.log"),
    )]  # fmt: skip
    daemons = []
    try:
        for command in (["munged", "--foreground", "--force", *munge], ["slurmctld", "-D"], ["slurmd", "-D"]):
            with open(folder / f"{command[0]}.out", "w") as log:
                daemons.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            wait_until(lambda: (folder / "munge.socket").exists(), 30)
        wait_until(lambda: "idle" in ask(environment, "sinfo", "-h", "-o", "%t"), 60)
        yield environment
    finally:
        ask(environment, "scancel", "--full", "-u", "root")
        for daemon in reversed(daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()


def search_path():
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def ask(environment, *command):
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)


def jobs(environment):
    return ask(environment, "squeue", "-h", "-t", "running", "-o", "%i").split()


def test_submitted_scored_one_job_cancelled_runner_killed_and_finished_by_a_rerun(slurm, tmp_path):
    folder = tmp_path / "results"
    command = [sys.executable, "-m", "brainscore_granularity.cli", "score", "--models", *MODELS]
    command += ["--benchmarks", *BENCHMARKS, "--results", str(folder), "--cluster", "slurm", "--workers", "2"]
    command += ["--cores", "1", "--memory", "1800MB", "--walltime", "00:20:00", "--queue", "loopback"]
    command += ["--interface", "lo"]
    with open(tmp_path / "log", "w") as log:
        runner = subprocess.Popen(command, env=slurm, stdout=log, stderr=log)
    finished = lambda: sorted(folder.glob("*/*.json"))  # noqa: E731
    try:
        wait_until(lambda: finished() or runner.poll() is not None, 300)
        before = {path: path.read_text() for path in finished()}
        assert before, Path(tmp_path, "log").read_text()
        if running := jobs(slurm):
            subprocess.run(["scancel", running[0]], env=slurm, check=True)
    finally:
        runner.kill()
        runner.wait()
    for job in jobs(slurm):
        subprocess.run(["scancel", job], env=slurm, check=True)
    wait_until(lambda: not jobs(slurm), 60)
    assert all(json.loads(path.read_text())["status"] == "ok" for path in finished())

    again = subprocess.run(command, env=slurm, capture_output=True, text=True, timeout=500)
    assert again.returncode == 0 and "6 scored, 0 failed" in again.stdout, again.stderr
    assert all(path.read_text() == content for path, content in before.items())
    assert list((folder / "logs").glob("dask-worker-*.err"))
    here = subprocess.run(
        [*command[: command.index("--results")], "--results", str(tmp_path / "here")], capture_output=True, text=True
    )
    assert here.returncode == 0, here.stderr
    values = [
        {(record["model"], record["benchmark"]): record["value"] for record in results.read_all(where)}
        for where in (folder, tmp_path / "here")
    ]
    assert values[0] == values[1] and len(values[0]) == 6
