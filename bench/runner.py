"""The runner against a loop of brainscore_vision.score: both sides in one run, on the same models and benchmarks.

    python -m bench.runner             all rows
    python -m bench.runner grid        some rows, by the start of their names

Eight models (four untrained AlexNets at 224 pixels, four shipped networks of the embedded world) on six benchmarks
(three of the embedded world, three on the 92 images of Kriegeskorte et al. 2008; without those files, more of the
world's). Each side is a process of its own with empty caches; imports are not timed. The loop has Brain-Score's
activation cache switched on, which our own models otherwise switch off.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time

from bench.rsa import main

MODELS = (
    *(f"granularity_world_own_k{k}_s1" for k in (2, 4, 8, 16)),  # replaced by AlexNets
    *(f"granularity_world_own_k{k}_s2" for k in (2, 4, 8, 16)),
)
WORLD = ("World.V1-rsa", "World.IT-rsa", "World.triplet")
IMAGES92 = ("Kriegeskorte2008.hIT-rsa", "Kriegeskorte2008.mIT-rsa", "Kriegeskorte2008.judgment-rsa")
REGIONS, NEW_REGION = ("92.V1", "92.V2", "92.V4", "92.IT"), "92.behavior"
MORE_WORLD = ("World_null.IT-rsa", "World_null.triplet", "World_fine.triplet")
KINDS = {"four AlexNets": MODELS[:4], "four small networks": MODELS[4:]}
NEW = "World_fine.IT-rsa"
DATA92 = "BRAINSCORE_GRANULARITY_KRIEGESKORTE92"


def benchmarks() -> tuple[str, ...]:
    return (*WORLD, *(IMAGES92 if os.environ.get(DATA92) else MORE_WORLD))


def make_alexnets() -> None:
    """Untrained AlexNets in the user's own store, which comes before the shipped networks of these names."""
    from brainscore_granularity import networks
    from brainscore_granularity.brains import commitment
    from brainscore_granularity.weights import checkpoints

    for seed, name in enumerate(MODELS[:4]):
        network = networks.build("alexnet", 1000, seed)
        saved = checkpoints.save(
            checkpoints.default_store(), name, network.state_dict(), {"network": "alexnet", "classes": 1000}
        )
        relu = [f"body.features.{i}" for i in (1, 4, 7, 11)]
        commitment.save(
            saved, {**dict(zip(("V1", "V2", "V4", "IT"), relu, strict=True)), "behavior": network.readout}, {}
        )


def prepare() -> None:
    """Imports, drawn images and compiled code: not part of what is timed."""
    import warnings

    warnings.simplefilter("ignore")
    import brainscore_vision

    from brainscore_granularity import stats

    a = __import__("numpy").random.default_rng(0).random((30, 30))
    stats.bootstrap(a + a.T, (a + a.T)[None], 16, fraction=None)
    for name in (*benchmarks(), NEW):
        brainscore_vision.load_benchmark(name).stimulus_set  # noqa: B018
    brainscore_vision.load_model(MODELS[-1])


def loop(names, kinds=KINDS, new=NEW) -> dict:
    """What a user of Brain-Score writes."""
    import brainscore_vision

    from brainscore_granularity.brains import model as brain_model

    brain_model.disable_activation_caching = lambda wrapper: wrapper  # Brain-Score's cache on

    def score(models, names):
        return {f"{model} {name}": brainscore_vision.score(model, name).item() for model in models for name in names}

    return both_times(score, names, kinds, new)


def ours(names, kinds=KINDS, new=NEW) -> dict:
    from brainscore_granularity import runner

    with tempfile.TemporaryDirectory() as folder:

        def score(models, names):
            table = runner.score_grid(models, names, folder)
            return {f"{row.model} {row.benchmark}": row.value for row in table.itertuples()}

        return both_times(score, names, kinds, new)


def four_regions() -> None:
    """Let Brain-Score load benchmarks of four regions, and so of four layers, on the 92 images."""
    import brainscore_vision

    from brainscore_granularity.brains.benchmark import RSABenchmark
    from brainscore_granularity.brains.targets import from_rdms

    load = brainscore_vision.load_benchmark

    def with_regions(name):
        if name not in (*REGIONS, NEW_REGION):
            return load(name)
        region = name.removeprefix("92.")
        return RSABenchmark(
            name, 1, region, lambda: from_rdms(brainscore_vision.load_dataset(IMAGES92[0][:-4])), None, ""
        )

    brainscore_vision.load_benchmark = with_regions


def loop_over_regions(_) -> dict:
    four_regions()
    return loop(REGIONS, {"four AlexNets on four regions": MODELS[:4]}, NEW_REGION)


def ours_over_regions(_) -> dict:
    four_regions()
    return ours(REGIONS, {"four AlexNets on four regions": MODELS[:4]}, NEW_REGION)


def regions() -> None:
    """The case in which Brain-Score's cache helps least: every benchmark reads another layer."""
    if not os.environ.get(DATA92):
        print(f"four regions on 92 images | set {DATA92}")
        return
    compare("loop_over_regions", "ours_over_regions", f"4 AlexNets x {len(REGIONS)} regions, 92 images")


def both_times(score, names, kinds, new) -> dict:
    """Each kind of model once with nothing cached, then all of them again with one new benchmark."""
    times, values = {}, {}
    for kind, models in kinds.items():
        _, times[f"{kind}, nothing cached"] = timed(lambda models=models: score(models, names))
    for kind, models in kinds.items():
        found, times[f"{kind}, again and one new benchmark"] = timed(lambda models=models: score(models, (*names, new)))
        values |= found
    return {"times": times, "values": values}


def timed(function):
    """Result, and seconds by the clock and of processor time: the second does not depend on other programs."""
    clock, processor = time.perf_counter(), time.process_time()
    result = function()
    return result, (time.perf_counter() - clock, time.process_time() - processor)


def grid() -> None:
    compare("loop", "ours", f"8 models x {len(benchmarks())} benchmarks")


def compare(their_side: str, our_side: str, title: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        environment = surroundings(home)
        subprocess.run(
            [sys.executable, "-c", "from bench.runner import make_alexnets as m; m()"], env=environment, check=True
        )
        theirs, mine = (child(side, environment) for side in (their_side, our_side))
    same = "equal values" if theirs["values"] == mine["values"] else "values DIFFER"
    for asked, what in ((6, "nothing cached"), (10, "again and one new benchmark")):
        rows = [name for name in theirs["times"] if name.endswith(what)]
        both = [[sum(side["times"][row][i] for row in rows) for i in (0, 1)] for side in (theirs, mine)]
        show(f"{title}, {what}", *both, same, asked)
        for row in rows if len(rows) > 1 else ():
            show(row, theirs["times"][row], mine["times"][row], same)


def show(what, theirs, ours, note, asked=None) -> None:
    verdict = f" (asked {asked}x: {'reached' if theirs[0] / ours[0] >= asked else 'NOT reached'})" if asked else ""
    print(
        f"{what} | loop of brainscore_vision.score: {theirs[0]:.1f} s | ours: {ours[0]:.1f} s | "
        f"{theirs[0] / ours[0]:.1f}x{verdict}; processor time {theirs[1]:.1f} and {ours[1]:.1f} s, "
        f"{theirs[1] / ours[1]:.1f}x; {note}",
        flush=True,
    )


def measure_overhead(names) -> dict:
    """Milliseconds a pair outside load_model, load_benchmark (with its data) and score_benchmark, of processor time."""
    import brainscore_core.benchmarks
    import brainscore_vision

    from brainscore_granularity import runner

    inside = [0.0]

    def counted(module, name):
        function = getattr(module, name)

        def run(*arguments):
            result, (_, seconds) = timed(lambda: function(*arguments))
            _, (_, loading) = timed(lambda: getattr(result, "stimulus_set", None))
            inside[0] += seconds + loading
            return result

        setattr(module, name, run)

    for module, name in (
        (brainscore_vision, "load_model"),
        (brainscore_vision, "load_benchmark"),
        (brainscore_core.benchmarks, "score_benchmark"),
    ):
        counted(module, name)
    models = MODELS[4:]
    with tempfile.TemporaryDirectory() as folder:
        _, (_, total) = timed(lambda: runner.score_grid(models, names, folder))
    return {"milliseconds": (total - inside[0]) / len(models) / len(names) * 1000}


def overhead() -> None:
    with tempfile.TemporaryDirectory() as home:
        found = child("measure_overhead", surroundings(home))["milliseconds"]
    print(f"overhead of the runner a pair, work excluded | {found:.1f} ms of processor time | asked: under 20 ms:"
          f" {'reached' if found < 20 else 'NOT reached'}", flush=True)  # fmt: skip


def measure_workers(names) -> dict:
    """Seconds of one and of two local workers, one core each, after each has scored something."""
    from brainscore_granularity.brains import catalogue
    from brainscore_granularity.runner import clusters, dispatch

    models = [name for name in catalogue.ours("models") if name.startswith("granularity_world")]
    seconds = {}
    for number in (1, 2):
        with clusters.workers(clusters.Workers(number, cores=1)) as pool:

            def run(models, pool=pool):
                engine = dispatch.on_workers(pool, dispatch.Limits())
                by_model = {model: list(WORLD) for model in models}
                return [record["status"] for record in engine(by_model, lambda *_: True, lambda *_: None)]

            run(models[:number])
            statuses, (seconds[number], _) = timed(lambda run=run: run(models[2:]))
            assert set(statuses) == {"ok"}
    return seconds


def workers() -> None:
    with tempfile.TemporaryDirectory() as home:
        found = child("measure_workers", surroundings(home) | {"OMP_NUM_THREADS": "1"})
    ratio = found["1"] / found["2"]
    print(f"2 local workers on 2 cores | 1: {found['1']:.1f} s | 2: {found['2']:.1f} s | {ratio:.2f}x | asked 1.5x:"
          f" {'reached' if ratio >= 1.5 else 'NOT reached'}", flush=True)  # fmt: skip


def files() -> None:
    """100,000 scores with four subjects each."""
    from pathlib import Path

    from brainscore_granularity.runner import results

    record = {
        "status": "ok", "value": 0.5, "raw": 0.4, "interval": [0.4, 0.6], "error": 0.01, "region": "IT",
        "ceiling": {"lower": 0.7, "upper": 0.8}, "subject_scores": {f"sim{i:02d}": 0.4 + i / 100 for i in range(4)},
        "layer": "relu5", "versions": {f"package{i}": "1.0" for i in range(6)}, "checkpoint": "0" * 64,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for b in range(10):
            Path(folder, f"b{b}").mkdir()
            for m in range(10_000):
                pair = {"model": f"granularity_world_own_k2_s{m}", "benchmark": f"b{b}"}
                Path(folder, f"b{b}", f"{m}.json").write_text(json.dumps(pair | record, indent=1))
        table, (clock, processor) = timed(lambda: results.long_table(results.read_all(Path(folder))))
    print(f"100,000 result files -> table of {len(table):,} rows | {clock:.1f} s, processor time {processor:.1f} s | "
          f"asked: under 10 s: {'reached' if clock < 10 else 'NOT reached'}", flush=True)  # fmt: skip


def measure_memory(names) -> dict:
    """Peak memory (MB) of scoring the first model and of the worst of a hundred."""
    import shutil

    from brainscore_granularity.brains import catalogue
    from brainscore_granularity.paths import home
    from brainscore_granularity.runner.session import Session

    models = [name for name in catalogue.ours("models") if name.startswith("granularity_world")]
    session, peaks = Session(), []
    for i in range(100):
        records = [session.score(models[i % len(models)], name, WORLD[k + 1 :]) for k, name in enumerate(WORLD)]
        peaks.append(max(record["peak_memory_mb"] for record in records))
        shutil.rmtree(home() / "rdms", ignore_errors=True)  # every model is to run its forward pass
    return {"first": peaks[0], "most": max(peaks)}


def memory() -> None:
    with tempfile.TemporaryDirectory() as home:
        found = child("measure_memory", surroundings(home))
    ratio = found["most"] / found["first"]
    print(f"peak memory of 100 models in one process | first: {found['first']:.0f} MB | most: {found['most']:.0f} MB | "
          f"{ratio:.2f} | asked: within 1.10: {'reached' if ratio <= 1.1 else 'NOT reached'}", flush=True)  # fmt: skip


def surroundings(home: str) -> dict:
    return {
        **os.environ,
        "BRAINSCORE_GRANULARITY_HOME": f"{home}/home",
        "RESULTCACHING_HOME": f"{home}/result_caching",
        "BRAINSCORE_HOME": f"{home}/brain-score",
        "BS_INSTALL_DEPENDENCIES": "no",
        "TQDM_DISABLE": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
    }


def child(function: str, environment: dict) -> dict:
    """Run a function of this module in a process of its own, after `prepare`."""
    code = f"import json, bench.runner as b; b.prepare(); print(json.dumps(b.{function}(b.benchmarks())))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=environment, stdout=subprocess.PIPE, text=True, check=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


ROWS = {"grid": grid, "regions": regions, "overhead": overhead, "workers": workers, "files": files, "memory": memory}


if __name__ == "__main__":
    main(ROWS)
