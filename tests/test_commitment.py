import json

import numpy as np
import pytest
from brainscore_vision import load_model

from brainscore_granularity import checkpoints, commitment, networks
from brainscore_granularity.brain_model import checkpoint_of, commitment_of, from_checkpoint, region_layer_map

MODEL = "granularity_world_own_k2_s1"


def test_shipped_commitment_is_what_selection_chooses():
    layer_map, scores = commitment.commit(checkpoint_of(MODEL))
    assert layer_map == commitment_of(MODEL)[1]
    for region, layer in layer_map.items():
        assert scores[region][layer] == max(scores[region].values())


def test_every_candidate_layer_gets_a_selection_score():
    _, scores = commitment.commit(checkpoint_of(MODEL))
    candidates = networks.build("mini", 2, 0).candidates
    assert set(scores) == {"V1", "V2", "V4", "IT", "behavior"}
    assert all(tuple(by_layer) == candidates for by_layer in scores.values())
    assert {"conv2", "relu2"} <= set(candidates)  # before batch norm and after the non-linearity


def test_save_writes_the_map_and_the_scores_of_exactly_these_weights(home):
    network = networks.build("mini", 4, seed=3)
    saved = checkpoints.save(
        checkpoints.default_store(), "net", network.state_dict(), {"network": "mini", "classes": 4}
    )
    assert not commitment.is_committed(saved)
    path = commitment.save(saved, {"V1": "relu1", "IT": "relu5"}, {"V1": {"relu1": 0.1}, "IT": {"relu5": 0.2}})
    assert path == home / "region_layer_map" / "net.json" and json.loads(path.read_text())["IT"] == "relu5"
    assert commitment.is_committed(saved)
    other = networks.build("mini", 4, seed=4).state_dict()
    retrained = checkpoints.save(checkpoints.default_store(), "net", other, {"network": "mini", "classes": 4})
    assert not commitment.is_committed(retrained)
    assert region_layer_map(retrained) == {"V1": "relu1", "IT": "relu5"}  # still usable until chosen anew


def test_other_selection_data_make_a_commitment_stale(home, monkeypatch):
    saved = checkpoints.save(
        checkpoints.default_store(), "net", networks.build("mini", 2, 0).state_dict(), {"network": "mini", "classes": 2}
    )
    commitment.save(saved, {"IT": "relu5"}, {"IT": {"relu5": 0.2}})
    monkeypatch.setattr(commitment, "SELECTION_VERSION", commitment.SELECTION_VERSION + 1)
    assert not commitment.is_committed(saved)


def test_a_model_without_a_commitment_says_what_to_run(home):
    saved = checkpoints.save(checkpoints.default_store(), "net", {}, {"network": "mini", "classes": 2})
    with pytest.raises(checkpoints.CheckpointError, match="granularity commit net"):
        region_layer_map(saved)


def test_a_network_with_dead_layers_commits_to_a_living_one(home):
    network = networks.build("mini", 2, seed=0)
    network.bn5.weight.data.zero_()
    network.bn5.bias.data.fill_(-1)  # relu5 is zero for every image
    saved = checkpoints.save(
        checkpoints.default_store(), "net", network.state_dict(), {"network": "mini", "classes": 2}
    )
    layer_map, scores = commitment.commit(saved)
    assert "relu5" not in scores["IT"] and "relu5" not in layer_map.values()


def test_models_record_the_committed_layers():
    model = load_model(MODEL)
    layer_map = commitment_of(MODEL)[1]
    assert model.layer_model.region_layer_map == {r: layer_map[r] for r in ("V1", "V2", "V4", "IT")}
    assert model.behavior_model.mapping["odd_one_out"].readout == [layer_map["behavior"]]
    assert model.identifier == MODEL and model.visual_degrees() == 8
    assert model.checkpoint_sha256 == checkpoint_of(MODEL).sha256


def test_retrained_weights_give_new_activations(home):
    """Brain-Score's own cache is keyed by identifier; ours must not return what other weights computed."""
    from brainscore_vision import load_stimulus_set

    stimuli = load_stimulus_set("World")
    recorded = []
    for seed in (1, 2):
        network = networks.build("mini", 2, seed)
        saved = checkpoints.save(
            checkpoints.default_store(), "net", network.state_dict(), {"network": "mini", "classes": 2}
        )
        model = from_checkpoint(saved, {"IT": "relu5"})
        model.start_recording("IT", time_bins=[(70, 170)])
        recorded.append(model.look_at(stimuli).values)
    assert not np.allclose(recorded[0], recorded[1])
