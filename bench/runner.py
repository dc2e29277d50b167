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

from bench.rsa import hardware

MODELS = (
    *(f"granularity_world_own_k{k}_s1" for k in (2, 4, 8, 16)),  # replaced by AlexNets
    *(f"granularity_world_own_k{k}_s2" for k in (2, 4, 8, 16)),
)
WORLD = ("World.V1-rsa", "World.IT-rsa", "World.triplet")
IMAGES92 = ("Kriegeskorte2008.hIT-rsa", "Kriegeskorte2008.mIT-rsa", "Kriegeskorte2008.judgment-rsa")
MORE_WORLD = ("World_null.IT-rsa", "World_null.triplet", "World_fine.triplet")
NEW = "World_fine.IT-rsa"
DATA92 = "BRAINSCORE_GRANULARITY_KRIEGESKORTE92"


def benchmarks() -> tuple[str, ...]:
    return (*WORLD, *(IMAGES92 if os.environ.get(DATA92) else MORE_WORLD))


def make_alexnets() -> None:
    """Untrained AlexNets in the user's own store, which comes before the shipped networks of these names."""
    from brainscore_granularity import checkpoints, commitment, networks

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
    brainscore_vision.load_model("pixels")


def loop(names) -> dict:
    """What a user of Brain-Score writes."""
    import brainscore_vision

    from brainscore_granularity import brain_model

    brain_model.disable_activation_caching = lambda wrapper: wrapper  # Brain-Score's cache on

    def score(names):
        return {f"{model} {name}": brainscore_vision.score(model, name).item() for model in MODELS for name in names}

    _, cold = timed(lambda: score(names))
    values, again = timed(lambda: score((*names, NEW)))
    return {"cold": cold, "again": again, "values": values}


def ours(names) -> dict:
    from brainscore_granularity import runner

    with tempfile.TemporaryDirectory() as folder:
        _, cold = timed(lambda: runner.score_grid(MODELS, names, folder))
        table, again = timed(lambda: runner.score_grid(MODELS, (*names, NEW), folder))
    values = {f"{row.model} {row.benchmark}": row.value for row in table.itertuples()}
    return {"cold": cold, "again": again, "values": values}


def timed(function):
    """Result, and seconds by the clock and of processor time: the second does not depend on other programs."""
    clock, processor = time.perf_counter(), time.process_time()
    result = function()
    return result, (time.perf_counter() - clock, time.process_time() - processor)


def grid() -> None:
    with tempfile.TemporaryDirectory() as home:
        environment = surroundings(home)
        subprocess.run(
            [sys.executable, "-c", "from bench.runner import make_alexnets as m; m()"], env=environment, check=True
        )
        theirs, mine = (child(side, environment) for side in ("loop", "ours"))
    same = theirs["values"] == mine["values"]
    pairs = len(MODELS) * len(benchmarks())
    for what, asked in (("cold", 6), ("again", 10)):
        label = (
            f"{pairs} pairs, nothing cached"
            if what == "cold"
            else f"the same and one new benchmark, {pairs + len(MODELS)} pairs"
        )
        (clock, processor), (our_clock, our_processor) = theirs[what], mine[what]
        ratio = clock / our_clock
        verdict = "reached" if ratio >= asked else "NOT reached"
        print(
            f"{label} | loop of brainscore_vision.score: {clock:.1f} s | ours: {our_clock:.1f} s | {ratio:.1f}x "
            f"(asked {asked}x: {verdict}); processor time {processor:.1f} and {our_processor:.1f} s, "
            f"{processor / our_processor:.1f}x; {'equal values' if same else 'values DIFFER'}",
            flush=True,
        )


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


ROWS = {"grid": grid}


def main() -> None:
    asked = sys.argv[1:]
    unknown = [a for a in asked if not any(row.startswith(a) for row in ROWS)]
    if unknown:
        sys.exit(f"unknown rows {unknown}; expected some of {', '.join(ROWS)}")
    print(hardware())
    for row, function in ROWS.items():
        if not asked or any(row.startswith(a) for a in asked):
            function()


if __name__ == "__main__":
    main()
