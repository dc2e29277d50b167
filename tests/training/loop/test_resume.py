"""Kill a training job with SIGKILL at random moments: the same call ends at the same bits."""

import json
import os

import pytest
import torch
from brainscore_granularity.training.loop import learner, loop, state
from brainscore_granularity.training.recipe import Execution, Recipe
from safetensors.torch import load_file

from brainscore_granularity.world import images as world

KILLS = int(os.environ.get("BRAINSCORE_GRANULARITY_TEST_KILLS", 5))

HOST = """
import json, os, pathlib, random, signal, sys, time
import safetensors
from brainscore_granularity.training.loop import ladder
from brainscore_granularity.training.recipe import Execution, Recipe
from brainscore_granularity.world import images as world

kills, root = int(sys.argv[1]), pathlib.Path(sys.argv[2])

def job(folder):
    drawn = world.draw(8, seed=31)
    settings = dict(data_seed=5, epochs=4, batch_size=64, augmentation="flip=true,rotation=10")
    rungs = [
        ladder.Rung("a", Recipe("mini", "native", 64, seed=1, ema=0.9, **settings), drawn.fine, folder / "a"),
        ladder.Rung("b", Recipe("mini", "taxonomy", 2, seed=2, optimizer="sgd", momentum=0.9, **settings),
                    world.taxonomy(drawn.fine, 2), folder / "b"),
    ]
    ladder.train(rungs, drawn.pixels, Execution(device="cpu", save_seconds=0.0, snapshots_mb=2.0))

def start(folder):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            job(folder)
            code = 0
        finally:
            os._exit(code)
    return child

begun = time.monotonic()
assert os.waitstatus_to_exitcode(os.waitpid(start(root / "whole"), 0)[1]) == 0
whole, moments, done = time.monotonic() - begun, random.Random(kills), []
while len(done) < kills:
    child = start(root / "killed")
    while len(done) % 2 and not list(root.glob("killed/*/state.safetensors")):  # however slow this computer is now,
        time.sleep(0.005)  # every other kill comes after something was kept
    time.sleep(moments.uniform(0.0, 0.7 * whole))  # from before the first step to near the end
    os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == 0:  # it was faster than the kill: start over
        os.rename(root / "killed", root / f"finished{child}")
        continue
    assert code == -signal.SIGKILL, code
    kept = []
    for name in "ab":
        file = root / "killed" / name / "state.safetensors"
        header = safetensors.safe_open(file, "pt").metadata() if file.exists() else {"position": '{"done": 0}'}
        kept.append(json.loads(header["position"])["done"])
    done.append(kept)
assert os.waitstatus_to_exitcode(os.waitpid(start(root / "killed"), 0)[1]) == 0
print(json.dumps(done))
"""


@pytest.fixture(scope="module")
def data():
    images = world.draw(8, seed=31)
    return images.pixels, world.taxonomy(images.fine, 2)


def test_killed_at_random_moments_ends_at_the_same_bits(forked, tmp_path):
    host = forked.run(HOST, KILLS, tmp_path, timeout=60 + 20 * KILLS)
    assert host.returncode == 0, host.stderr[-2000:]
    done = json.loads(host.stdout.splitlines()[-1])
    assert len(done) == KILLS and max(max(kept) for kept in done) > 0  # some were killed half-way
    for name in "ab":
        whole, killed = tmp_path / "whole" / name, tmp_path / "killed" / name
        first, second = load_file(whole / "state.safetensors"), load_file(killed / "state.safetensors")
        assert first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)
        snapshots = sorted(p.name for p in (whole / "snapshots").iterdir())
        assert len(snapshots) > 5 and snapshots == sorted(p.name for p in (killed / "snapshots").glob("*"))
        assert all((whole / "snapshots" / s).read_bytes() == (killed / "snapshots" / s).read_bytes() for s in snapshots)
        rows = [[(row["step"], row["loss"]) for row in loop.log.read(f / "log.csv")] for f in (whole, killed)]
        assert rows[0] == rows[1] and [s for s, _ in rows[1]] == sorted({s for s, _ in rows[1]})
        assert not list(killed.rglob("*.tmp"))


def recipe(**changes):
    return Recipe(
        **{"network": "mini", "labels": "taxonomy", "k": 2, "seed": 1, "epochs": 1, "batch_size": 64} | changes
    )


def test_a_finished_run_is_not_trained_again(data, tmp_path):
    first, metrics = loop.train(recipe(), *data, folder=tmp_path / "run")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "run").glob("state*")}
    again, same = loop.train(recipe(), *data, folder=tmp_path / "run")
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), again.state_dict().values(), strict=True))
    assert metrics == same and before == {p: p.stat().st_mtime_ns for p in (tmp_path / "run").glob("state*")}


def test_the_folder_of_another_recipe_is_refused_and_untouched(data, tmp_path):
    loop.train(recipe(), *data, folder=tmp_path / "run")
    before = {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()}
    with pytest.raises(state.WrongRun, match=r"another run .*: learning_rate 0.004 \(now: 0.1\)"):
        loop.train(recipe(learning_rate=0.1), *data, folder=tmp_path / "run")
    assert before == {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()}


def test_a_folder_with_other_things_in_it_is_refused(data, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(state.WrongRun, match="holds thesis.tex but no run.json"):
        loop.train(recipe(), *data, folder=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_two_jobs_cannot_share_a_folder(data, tmp_path):
    description = {"run_id": recipe().run_id(""), "recipe": {}}
    holder = state.RunFolder(tmp_path / "run", description)
    with pytest.raises(state.WrongRun, match="another process is training"):
        loop.train(recipe(), *data, folder=tmp_path / "run")
    holder.close()
    loop.train(recipe(), *data, folder=tmp_path / "run")


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_state_is_named(data, tmp_path, damage):
    loop.train(recipe(), *data, folder=tmp_path / "run")
    path = tmp_path / "run" / "state.safetensors"
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[-100:]
    else:
        content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(state.DamagedState, match="state.safetensors is damaged"):
        loop.train(recipe(), *data, folder=tmp_path / "run")


def test_divergence_names_the_step_and_keeps_the_last_good_state(data, tmp_path):
    broken = recipe(epochs=3, learning_rate=1e30, clip=1e30)
    execution = Execution(save_seconds=0.0, device="cpu")
    with pytest.raises(learner.TrainingDiverged, match=r"at step \d+ .*keeps the state after step"):
        loop.train(broken, *data, folder=tmp_path / "run", execution=execution)
    kept = state.RunFolder(tmp_path / "run", {"run_id": broken.run_id(""), "recipe": {}}).load()
    assert kept is None or all(torch.isfinite(t).all() for t in kept[0].values())


@pytest.mark.slow
def test_snapshots_are_log_spaced_within_their_budget(data, tmp_path):
    execution = Execution(snapshots_mb=1.5, device="cpu")
    network, _ = loop.train(recipe(epochs=5), *data, folder=tmp_path / "run", execution=execution)
    files = sorted((tmp_path / "run" / "snapshots").iterdir())
    steps = [int(f.stem.split("-")[1]) for f in files]
    assert steps[0] == 0 and steps[-1] == 40 and sum(f.stat().st_size for f in files) <= 1.5e6
    assert (sorted(b - a for a, b in zip(steps, steps[1:], strict=False))) == [
        b - a for a, b in zip(steps, steps[1:], strict=False)
    ]
    last = state.read_snapshot(files[-1])
    assert all(
        torch.allclose(last[n].float(), t.float(), rtol=1e-3, atol=1e-6) for n, t in network.state_dict().items()
    )
    with pytest.raises(ValueError, match="a budget of 0.1 MB holds 0 snapshots"):
        loop.train(
            recipe(seed=2), *data, folder=tmp_path / "other", execution=Execution(snapshots_mb=0.1, device="cpu")
        )
