"""The layer chosen on the other half of the stimuli, through the runner: in a field of its own, never mixed."""

import json

import numpy as np
import pytest
from brainscore_vision import load_benchmark, load_model

from brainscore_granularity import runner
from brainscore_granularity.brains import commitment
from brainscore_granularity.brains.cross_validation import cross_validated
from brainscore_granularity.networks.depth import layers_by_depth
from brainscore_granularity.report.answer import difference_variance
from brainscore_granularity.runner import grid, results
from brainscore_granularity.runner.record import resampled_of
from brainscore_granularity.runner.session import Session
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.weights.find import checkpoint_of, commitment_of

MODEL, BENCHMARKS = "granularity_world_own_k2_s1", ["World.IT-rsa", "World.triplet"]


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    runner.score_grid([MODEL], BENCHMARKS, folder, splits=20)
    return folder


@pytest.mark.slow
def test_the_record_holds_both_and_the_table_shows_the_one_that_is_asked_for(scored):
    records = results.read_all(scored)
    committed, chosen = results.table(records), results.table(results.cross_validated(records))
    assert set(committed["layer"]) == {layer for layer in commitment_of(MODEL)[1].values()} & set(committed["layer"])
    assert all("of halves" in layer for layer in chosen["layer"]) and (chosen["status"] == "ok").all()
    assert (chosen["interval_low"] < chosen["value"]).all() and (chosen["value"] < chosen["interval_high"]).all()
    for record in results.cross_validated(records):
        assert "subject_scores" not in record and record["fingerprint"]["splits"] == 20
        assert resampled_of(record).shape == (2, 100)  # its own surplus, not that of the committed layer


def test_differences_of_chosen_layers_are_paired_by_lines_of_their_own(scored):
    """Odd-one-out scores of committed layers have a surplus, too: it never comes off values of the chosen layers."""
    record = results.read(scored, MODEL, "World.triplet")
    (chosen,) = results.cross_validated([record])
    assert chosen["resampled"] != record["resampled"] and chosen["surplus"] != record["surplus"]
    assert chosen["surplus"] == record["cross_validated"]["surplus"]
    variance, paired = difference_variance(*((each["error"], resampled_of(each)) for each in (chosen, chosen)))
    assert paired and variance == 0
    before = record["cross_validated"]  # as it was kept before there was a surplus of the chosen layers
    before = {**record, "cross_validated": {key: before[key] for key in before if key != "surplus"}}
    assert resampled_of(results.cross_validated([before])[0]).ndim == 1


@pytest.mark.slow
def test_the_number_is_that_of_the_function(scored):
    (found,) = cross_validated(load_model(MODEL), [load_benchmark("World.IT-rsa")], splits=20)
    record = results.read(scored, MODEL, "World.IT-rsa")["cross_validated"]
    assert record["raw"] == pytest.approx(found.found.value, abs=1e-6)
    assert record["best"]["raw"] >= record["raw"] - 0.02 and sum(record["chosen"].values()) == pytest.approx(
        1, abs=1e-3
    )
    assert record["value"] == pytest.approx(found.value(record["raw"]))


def test_other_splits_and_other_weights_make_it_stale_and_committed_scores_do_not_care(scored):
    def why(**settings):
        return grid.why(scored, MODEL, "World.IT-rsa", Session(**settings))

    assert why() is None and why(splits=20) is None
    assert "not cross-validated over 40 halves yet" in why(splits=40)
    file = results.path(scored, MODEL, "World.IT-rsa")
    before = file.read_text()
    record = json.loads(before)
    record["cross_validated"]["fingerprint"]["checkpoint"] = "other"
    file.write_text(json.dumps(record))
    assert why() is None and why(splits=20) == "stale: cross-validated checkpoint changed"
    assert why(leave_out=True) == "stale: shared changed"
    file.write_text(before)


def test_commit_by_depth_looks_at_no_stimuli(home):
    shipped = checkpoint_of(MODEL)
    checkpoints.save(checkpoints.default_store(), MODEL, shipped.state_dict(), shipped.info)
    choice, _ = commitment.by_depth(MODEL)
    assert choice["layers"] == layers_by_depth(checkpoint_of(MODEL).info["network"]) == commitment_of(MODEL)[1]
    assert choice["layers"] == {"V1": "relu1", "V2": "relu2", "V4": "relu3", "IT": "relu4", "behavior": "relu5"}
    assert load_model(MODEL).selection_stimuli == {} and np.isfinite(checkpoint_of(MODEL).info["classes"])
