"""Processes to be killed or interrupted, forked from one that has imported what takes long.

A fresh interpreter needs seconds of a core for torch and Brain-Score, again in every process that a test kills. The
host imports them and waits, and does nothing else, so that a child of it is as a fresh process that has come so far.

Not for tests of starting up, of memory or of the order of hashes: those start an interpreter.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

IMPORTED = (
    "brainscore_granularity.training.loop.ladder",
    "brainscore_granularity.training.labels.features",
    "brainscore_granularity.datasets.prepare.nsd.build",
    "brainscore_granularity.datasets.prepare.things.fmri",
    "brainscore_granularity.datasets.prepare.tvsd",
    "brainscore_granularity.runner.run",
    "brainscore_granularity.brains.model",
    "brainscore_granularity.world.images",
    "brainscore_core.supported_data_standards.brainio.assemblies",
)


class Host:
    """Starts processes; ended by `close`, or with the process that made it."""

    def __init__(self, folder: Path):
        self.folder = folder
        command = [sys.executable, "-W", "ignore", __file__, *IMPORTED]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, code: str, *arguments, env: dict[str, str] | None = None) -> Child:
        """Run Python code with these ``sys.argv[1:]`` in a process of its own."""
        output = Path(tempfile.mkdtemp(dir=self.folder))
        job = {"code": code, "arguments": [str(a) for a in arguments], "cwd": os.getcwd(), "output": str(output)}
        return Child(self, self.ask(start=job | {"env": dict(os.environ if env is None else env)}), output)

    def run(self, code: str, *arguments, env=None, timeout: float = 600) -> Child:
        """The same, after its end; killed if it takes longer."""
        child = self.start(code, *arguments, env=env)
        try:
            child.wait(timeout)
        finally:
            child.kill()
        return child

    def ask(self, **question):
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the host of forked processes has ended with {self._process.wait()}")
        return json.loads(answer)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


class Child:
    """A forked process, used as `subprocess.Popen` is."""

    def __init__(self, host: Host, pid: int, output: Path):
        self.pid, self.returncode = pid, None
        self._host, self._output = host, output

    @property
    def stdout(self) -> str:
        return (self._output / "stdout").read_text()

    @property
    def stderr(self) -> str:
        return (self._output / "stderr").read_text()

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._host.ask(poll=self.pid)
        return self.returncode

    def wait(self, timeout: float = 600) -> int:
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(0.005)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> int:
        """SIGKILL, if it is still running; returns how it ended."""
        self.send_signal(signal.SIGKILL)
        return self.wait()


def serve() -> dict | None:
    """Answer questions until there are no more (None); in every child, return its job."""
    for line in sys.stdin:
        question = json.loads(line)
        if "poll" in question:
            pid, status = os.waitpid(question["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if answer == 0:
                return question["start"]
        print(json.dumps(answer), flush=True)
    return None


def become(job: dict) -> None:
    """Take on the surroundings of a job."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(Path(job["output"], name), os.O_WRONLY | os.O_CREAT), number)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a shell
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["env"])
    sys.argv[:] = ["-c", *job["arguments"]]
    if "torch" in sys.modules and (threads := job["env"].get("OMP_NUM_THREADS")):  # read once, when it was imported
        sys.modules["torch"].set_num_threads(int(threads))


def leave() -> None:
    """End as Python does, but without taking apart all that was imported."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    import importlib

    for module in sys.argv[1:]:
        try:
            importlib.import_module(module)
        except ImportError:  # training is also tested where Brain-Score is not installed
            pass
    gc.freeze()  # what was imported stays shared with the children
    if (job := serve()) is not None:
        become(job)
        exec(compile(job["code"], "<forked>", "exec"), {"__name__": "__main__"})
        leave()
