"""Workers as real processes: a Dask scheduler and workers on loopback, and what happens when they fail."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="workers need the extra `cluster`")

from brainscore_granularity import runner
from brainscore_granularity.runner import results  # noqa: E402
from brainscore_granularity.runner.clusters import Workers  # noqa: E402
from brainscore_granularity.runner.dispatch import Limits, _next  # noqa: E402

MAKERS = Path(__file__).parents[1] / "makers"
MODELS = ["granularity_world_own_k2_s1", "granularity_world_untrained_s1"]
BENCHMARKS = ["World.IT-rsa", "World_null.triplet"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """Address of a running scheduler with two workers, one of whose models misbehave; as a user would start them."""
    folder = tmp_path_factory.mktemp("cluster")
    environment = {
        **os.environ,
        "FAULTS_FOLDER": str(folder),
        "OMP_NUM_THREADS": "1",
        "DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD": "forkserver",
        "PYTHONPATH": os.pathsep.join([str(MAKERS), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE": "false",
        "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL": "false",
    }
    started, where = [], folder / "scheduler.json"

    def start(*command):
        with open(folder / f"{len(started)}.log", "w") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "dask", *command],
                env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        started.append(process)

    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(where))
    options = ["--nthreads", "1", "--memory-limit", "1800MB", "--no-dashboard", "--local-directory", str(folder)]
    options += ["--preload", "faults", "--preload-nanny", "forked_workers"]
    start("worker", "--scheduler-file", str(where), "--nworkers", "2", *options)
    from distributed import Client

    try:
        wait_until(where.exists, 60)
        address = json.loads(where.read_text())["address"]
        with Client(address, timeout=60) as client:
            client.wait_for_workers(2, timeout=300)
        yield address
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def score(models, benchmarks, folder, scheduler, **limits):
    lines = []
    table = runner.score_grid(
        models, benchmarks, folder, lines.append, workers=Workers(scheduler=scheduler), limits=Limits(**limits)
    )
    return table.set_index(["model", "benchmark"]), lines


def test_scores_are_those_of_one_process(tmp_path, scheduler):
    here = runner.score_grid(MODELS, BENCHMARKS, tmp_path / "here").set_index(["model", "benchmark"])
    there, _ = score(MODELS, BENCHMARKS, tmp_path / "there", scheduler)
    assert there["value"].equals(here["value"]) and there["raw"].equals(here["raw"])
    processes = {record["process"] for record in results.read_all(tmp_path / "there")}
    assert os.getpid() not in processes and len(processes) == 2  # a model each


def test_a_model_that_raises_is_recorded_and_the_grid_goes_on(tmp_path, scheduler):
    table, lines = score(["raises", MODELS[0]], BENCHMARKS[:1], tmp_path, scheduler)
    assert list(table["status"]) == ["failed", "ok"] and "this model is broken" in lines[0]


def test_a_worker_killed_mid_pair_costs_one_try_and_its_pair_is_finished_elsewhere(tmp_path, scheduler):
    table, lines = score(["dies_once", MODELS[1]], BENCHMARKS[:1], tmp_path, scheduler)
    assert list(table["status"]) == ["ok", "ok"] and not lines


def test_a_model_that_kills_its_worker_is_tried_again_and_then_costs_its_pair_only(tmp_path, scheduler):
    table, _ = score(["dies", MODELS[0]], BENCHMARKS[:1], tmp_path, scheduler, retries=1)
    assert list(table["status"]) == ["failed", "ok"]
    assert table["reason"].iloc[0] == "WorkerLost: its worker was killed or ran out of memory, 2 times"


def test_a_model_that_eats_memory_is_ended_and_costs_its_pair_only(tmp_path, scheduler):
    table, _ = score(["eats", MODELS[0]], BENCHMARKS[:1], tmp_path, scheduler, retries=0)
    assert list(table["status"]) == ["failed", "ok"] and "out of memory, once" in table["reason"].iloc[0]


def test_a_model_that_hangs_ends_at_the_time_limit_and_its_worker_comes_back(tmp_path, scheduler):
    table, _ = score(["hangs"], BENCHMARKS[:1], tmp_path, scheduler, timeout=2)
    assert table["reason"].iloc[0] == "TimeLimit: not finished after 2 s"
    after, _ = score(MODELS, BENCHMARKS[:1], tmp_path, scheduler)
    assert set(after["status"]) == {"ok"}


def test_a_worker_keeps_its_model_and_takes_over_from_the_longest_queue():
    waiting, held, running = {"a": ["1", "2"], "b": ["1", "2", "3"]}, {}, {}
    assert _next(waiting, held, "x", running) == ("a", "1")
    running["x"] = type("one", (), {"pair": ("a", "1")})
    assert _next(waiting, held, "y", running) == ("b", "1")
    running["y"] = type("one", (), {"pair": ("b", "1")})
    assert [_next(waiting, held, "x", running) for _ in range(2)] == [("a", "2"), ("b", "2")]
    assert _next(waiting, held, "y", running) == ("b", "3") and _next(waiting, held, "y", running) is None


def test_workers_of_this_computer_from_the_command_line_end_with_the_runner(tmp_path):
    command = [sys.executable, "-m", "brainscore_granularity.cli", "score", "--models", *MODELS, "--workers", "2"]
    command += ["--benchmarks", *BENCHMARKS, "--results", str(tmp_path / "r"), "--timeout", "300"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: process.poll() is not None or len(list(tmp_path.glob("r/*/*.json"))) > 0, 300)
        children = descendants(process.pid)
    finally:
        process.kill()
        process.wait()
    wait_until(lambda: not any(Path(f"/proc/{child}").exists() for child in children), 60)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "4 scored, 0 failed" in done.stdout, done.stderr


def descendants(pid):
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if parent == pid:
            child = int(status.parent.name)
            found += [child, *descendants(child)]
    return found


def test_two_runners_on_one_folder_at_once(forked, tmp_path):
    code = f"from brainscore_granularity import score_grid\nscore_grid({MODELS}, {BENCHMARKS}, {str(tmp_path)!r})"
    runners = [forked.start(code) for _ in range(2)]
    assert [process.wait() for process in runners] == [0, 0]
    assert {record["status"] for record in results.read_all(tmp_path)} == {"ok"}
    files = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert files == sorted(f"{model}.json" for model in MODELS for _ in BENCHMARKS)
