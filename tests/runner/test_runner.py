import json
import os
import random
import signal
import time

import brainscore_vision
import pytest

from brainscore_granularity import runner
from brainscore_granularity.brains import commitment
from brainscore_granularity.runner import results
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.weights.find import checkpoint_of

MODELS = ["granularity_world_own_k2_s1", "granularity_world_untrained_s1"]
KILLS = int(os.environ.get("BRAINSCORE_GRANULARITY_TEST_KILLS", 4))
BENCHMARKS = ["World.IT-rsa", "World.V1-rsa", "World_null.triplet"]


@pytest.fixture
def scored(monkeypatch):
    """Pairs that were really scored, in order."""
    from brainscore_core import benchmarks

    seen, real = [], benchmarks.score_benchmark

    def spy(benchmark, candidate):
        seen.append((candidate.identifier, benchmark.identifier))
        return real(benchmark, candidate)

    monkeypatch.setattr(benchmarks, "score_benchmark", spy)
    return seen


@pytest.mark.slow
def test_values_are_those_of_brainscore_score_bit_for_bit(tmp_path):
    table = runner.score_grid(MODELS, BENCHMARKS, tmp_path)
    for row in table.itertuples():
        theirs = brainscore_vision.score(row.model, row.benchmark)
        assert row.value == theirs.item() and row.raw == float(theirs.attrs["raw"])


@pytest.mark.slow
def test_a_rerun_computes_nothing_and_a_new_benchmark_only_itself(tmp_path, scored):
    first = runner.score_grid(MODELS, BENCHMARKS[:2], tmp_path)
    assert len(scored) == 4
    again = runner.score_grid(MODELS, BENCHMARKS[:2], tmp_path)
    assert len(scored) == 4 and again.equals(first)
    runner.score_grid(MODELS, BENCHMARKS, tmp_path)
    assert scored[4:] == [(model, BENCHMARKS[2]) for model in MODELS]


@pytest.mark.slow
def test_retrained_weights_new_layers_and_new_versions_make_their_own_scores_stale(tmp_path, home, scored, monkeypatch):
    model, other = MODELS
    runner.score_grid(MODELS, BENCHMARKS[:2], tmp_path)
    del scored[:]

    shipped = checkpoint_of(model)  # retrain: here, the untrained weights under the id of the trained model
    weights = {**checkpoint_of("granularity_world_untrained_s2").state_dict()}
    weights["head.weight"], weights["head.bias"] = weights["head.weight"][:2], weights["head.bias"][:2]
    retrained = checkpoints.save(checkpoints.default_store(), model, weights, shipped.info)
    assert runner.score_grid(MODELS, BENCHMARKS[:2], tmp_path)["checkpoint"].nunique() == 2
    assert scored == [(model, name) for name in BENCHMARKS[:2]]

    del scored[:]
    commitment.save(retrained, {"V1": "relu1", "IT": "relu2", "behavior": "relu2"}, {})
    runner.score_grid(MODELS, BENCHMARKS[:2], tmp_path)
    assert scored == [(model, name) for name in BENCHMARKS[:2]]

    del scored[:]
    load = brainscore_vision.load_benchmark

    def newer(name):
        benchmark = load(name)
        if name == BENCHMARKS[0]:
            benchmark._version += 1
        return benchmark

    monkeypatch.setattr(brainscore_vision, "load_benchmark", newer)
    runner.score_grid(MODELS, BENCHMARKS[:2], tmp_path)
    assert scored == [(name, BENCHMARKS[0]) for name in MODELS]


@pytest.mark.slow
def test_a_failing_pair_is_recorded_and_the_grid_goes_on(tmp_path, home):
    broken = checkpoints.save(
        checkpoints.default_store(), MODELS[0], checkpoint_of(MODELS[0]).state_dict(), checkpoint_of(MODELS[0]).info
    )
    commitment.save(broken, {"IT": "no_such_layer", "behavior": "relu5"}, {})
    lines = []
    table = runner.score_grid(MODELS, ["World.IT-rsa", "World_null.triplet"], tmp_path, warn=lines.append)
    status = {(row.model, row.benchmark): row.status for row in table.itertuples()}
    assert status.pop((MODELS[0], "World.IT-rsa")) == "failed" and set(status.values()) == {"ok"}
    record = results.read(tmp_path, MODELS[0], "World.IT-rsa")
    assert "no_such_layer" in record["reason"] and "no_such_layer" in lines[0]
    commitment.save(broken, {"IT": "relu5", "behavior": "relu5"}, {})
    mended = runner.score_grid(MODELS, ["World.IT-rsa"], tmp_path)
    assert set(mended["status"]) == {"ok"}


def test_a_model_that_cannot_be_downloaded_costs_its_own_pair_only(tmp_path, monkeypatch):
    from urllib.error import URLError

    load = brainscore_vision.load_model

    def unreachable(name):
        if name == MODELS[0]:
            raise URLError("no route to host")
        return load(name)

    monkeypatch.setattr(brainscore_vision, "load_model", unreachable)
    table = runner.score_grid(MODELS, BENCHMARKS[:1], tmp_path, warn=lambda line: None).set_index("model")
    assert table["status"].to_dict() == {MODELS[0]: "failed", MODELS[1]: "ok"}
    assert "no route to host" in table.loc[MODELS[0], "reason"]


def test_record_says_where_a_score_comes_from(tmp_path):
    runner.score_grid(MODELS[:1], BENCHMARKS[:1], tmp_path)
    record = json.loads(results.path(tmp_path, MODELS[0], BENCHMARKS[0]).read_text())
    assert record["checkpoint"] == checkpoint_of(MODELS[0]).sha256
    assert record["fingerprint"]["layers"]["IT"] == record["layer"]
    assert record["versions"]["brainscore_vision"] and record["seconds"] > 0 and record["simulated"] is True
    assert len(record["subject_scores"]) == 4 and record["n_stimuli"] == 256


@pytest.mark.slow
def test_brain_scores_own_model_is_scored_with_its_own_identifier(tmp_path):
    table = runner.score_grid(["pixels"], ["World.V1-rsa"], tmp_path)
    assert table.loc[0, "status"] == "ok" and table.loc[0, "checkpoint"] is None


def test_killed_at_random_moments_every_score_is_whole_and_none_is_lost(forked, tmp_path):
    """kill -9 of a real process; what was written stays, what is missing is computed by the next run."""
    code = f"import sys; from brainscore_granularity import score_grid; score_grid({MODELS}, {BENCHMARKS}, sys.argv[1])"
    begun = time.monotonic()
    assert forked.run(code, tmp_path / "whole").returncode == 0
    whole = time.monotonic() - begun
    moments, finished, killed = random.Random(0), {}, 0
    for i in range(KILLS):
        process = forked.start(code, tmp_path / "results")
        waits = i % 2 == 0
        while waits and process.poll() is None and len(list(tmp_path.glob("results/*/*.json"))) == len(finished):
            time.sleep(0.005)  # every other kill comes after something new was written, the first one at once
        deadline = time.monotonic() + moments.uniform(0, 0 if i == 0 else 0.3 if waits else 0.7) * whole
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        killed += process.kill() == -signal.SIGKILL
        for path in (tmp_path / "results").glob("*/*.json"):
            content = path.read_text()
            assert json.loads(content)["status"] == "ok"
            assert finished.setdefault(path, content) == content  # finished once, never again
    assert killed and finished
    table = runner.score_grid(MODELS, BENCHMARKS, tmp_path / "results")
    assert len(table) == 6 and set(table["status"]) == {"ok"}
    assert all(path.read_text() == content for path, content in finished.items())
