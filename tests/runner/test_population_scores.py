"""Benchmarks by sessions through the runner: one forward pass a session for both, all layers, cross-validation."""

import brainscore_vision
import numpy as np
import pytest
from brainscore_vision import load_benchmark
from v4_session import write_session

from brainscore_granularity.datasets import cowley2023
from brainscore_granularity.paths import sha256_of
from brainscore_granularity.runner.session import Session

MODEL, BENCHMARKS = "granularity_world_own_k8_s1", ["Cowley2023.V4-rsa", "Cowley2023.V4-ridge"]


@pytest.fixture
def sessions(tmp_path, monkeypatch):
    """The four sessions with made-up responses to 24 images each; the last has repeats, and six images of the third."""
    for k, name in enumerate(cowley2023.SESSIONS):
        rng, first = np.random.default_rng(k), 24 * k - 6 * (k == 3)
        counts = rng.poisson(rng.gamma(1, 5, size=(12, 24, 1)), size=(12, 24, 3)).astype(float)
        raw = name == "210325"
        write_session(tmp_path, name, counts if raw else counts.mean(axis=2), range(first, first + 24), raw)
    repeats = cowley2023.REPEATS.format("210325")
    pinned = {repeats: sha256_of(tmp_path / repeats)}
    monkeypatch.setenv(cowley2023.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(cowley2023, "PINNED", pinned)


@pytest.mark.slow
def test_both_kinds_share_the_forward_passes_and_equal_brain_scores_own_call(sessions):
    session = Session(all_layers=False)
    first = session.score(MODEL, BENCHMARKS[0], later=BENCHMARKS[1:])
    second = session.score(MODEL, BENCHMARKS[1])
    assert first["status"] == second["status"] == "ok", (first, second)
    assert session.recorder.passes == 4  # one a session
    for record, name in zip((first, second), BENCHMARKS, strict=True):
        assert record["value"] == pytest.approx(float(brainscore_vision.score(MODEL, name)), abs=1e-9)
        assert list(record["population_scores"]) == list(cowley2023.SESSIONS) and record["n_stimuli"] == 90
        assert list(record["subject_scores"]) == ["WE", "PE"]
    assert first["ceiling"]["kind"] == "repeats and units" and second["ceiling"]["kind"] == "unknown"


@pytest.mark.slow
def test_layers_one_by_one_are_those_of_the_cross_validation(sessions):
    session = Session(all_layers=True, splits=10)
    record = session.score(MODEL, BENCHMARKS[1])
    assert record["status"] == "ok" and set(record["layers"]) >= {"relu1", "relu2"}, record
    chosen = record["cross_validated"]
    assert "reason" not in chosen and chosen["splits"] == 10
    best = record["layers"][chosen["best"]["layer"]]
    assert best["raw"] == pytest.approx(chosen["best"]["raw"], abs=1e-5)


def test_what_was_found_is_said(sessions):
    assert load_benchmark(BENCHMARKS[0]).found().startswith("90 images; WE 190923: 12 units, PE 201025: 12 units")
