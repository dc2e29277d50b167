import json

import fake_brains
import numpy as np
import pytest
from brainscore_vision import data_registry, load_benchmark, load_model

from brainscore_granularity import networks
from brainscore_granularity.brains import commitment, selection
from brainscore_granularity.brains.model import from_checkpoint
from brainscore_granularity.brains.shown import SelectionLeak
from brainscore_granularity.weights import checkpoints, layer_map
from brainscore_granularity.weights.find import checkpoint_of, commitment_of

MODEL = "granularity_world_own_k2_s1"
REGIONS = selection.REGIONS


@pytest.mark.slow
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
    assert not layer_map.is_for(saved, commitment.SELECTION_VERSION)
    path = commitment.save(saved, {"V1": "relu1", "IT": "relu5"}, {"V1": {"relu1": 0.1}, "IT": {"relu5": 0.2}})
    assert path == home / "region_layer_map" / "net.json" and json.loads(path.read_text())["IT"] == "relu5"
    assert layer_map.is_for(saved, commitment.SELECTION_VERSION)
    other = networks.build("mini", 4, seed=4).state_dict()
    retrained = checkpoints.save(checkpoints.default_store(), "net", other, {"network": "mini", "classes": 4})
    assert not layer_map.is_for(retrained, commitment.SELECTION_VERSION)
    assert layer_map.read(retrained) == {"V1": "relu1", "IT": "relu5"}  # still usable until chosen anew


def test_other_selection_data_make_a_commitment_stale(home, monkeypatch):
    saved = checkpoints.save(
        checkpoints.default_store(), "net", networks.build("mini", 2, 0).state_dict(), {"network": "mini", "classes": 2}
    )
    commitment.save(saved, {"IT": "relu5"}, {"IT": {"relu5": 0.2}})
    monkeypatch.setattr(commitment, "SELECTION_VERSION", commitment.SELECTION_VERSION + 1)
    assert not layer_map.is_for(saved, commitment.SELECTION_VERSION)


def test_a_model_without_a_commitment_has_the_layers_of_its_depth(home):
    saved = checkpoints.save(checkpoints.default_store(), "net", {}, {"network": "mini", "classes": 2})
    assert layer_map.path_of(saved) is None
    assert layer_map.read(saved) == {"V1": "relu1", "V2": "relu2", "V4": "relu3", "IT": "relu4", "behavior": "relu5"}
    assert layer_map.selected_on(saved) == {"selection": {}, "stimuli": {}, "shown": {}}


def test_a_network_without_stages_says_what_to_run(home, monkeypatch):
    from brainscore_granularity.networks import depth

    monkeypatch.setattr(depth, "stages", lambda network: [])
    layer_map._by_depth.cache_clear()
    saved = checkpoints.save(checkpoints.default_store(), "net", {}, {"network": "mini", "classes": 2})
    with pytest.raises(checkpoints.CheckpointError, match="granularity commit net"):
        layer_map.read(saved)


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


@pytest.fixture
def own_copy(home):
    """A model of ours in an empty home, with the default commitment."""
    shipped = checkpoint_of(MODEL)
    return checkpoints.save(checkpoints.default_store(), MODEL, shipped.state_dict(), shipped.info)


@pytest.fixture
def measured(tmp_path, home, monkeypatch):
    """Brain-Score's train and test data of NSD, small; selections are read anew."""
    import brainscore_vision.data.allen2022_fmri  # noqa: F401  (registers the real ones)

    for split in ("train", "test"):
        made = fake_brains.allen(tmp_path, split)
        monkeypatch.setitem(data_registry, f"Allen2022_fmri_{split}", lambda made=made: made)
    selection.benchmarks.cache_clear()
    yield
    selection.benchmarks.cache_clear()


def test_layers_are_chosen_on_train_images_and_score_on_others(own_copy, measured):
    choice, path = commitment.recommit(MODEL, ["Allen2022_fmri"])
    assert choice["selection"] == {
        **dict.fromkeys(("V1", "V2", "V4", "IT"), "Allen2022_fmri"),
        "behavior": "World_selection",
    }
    assert choice["layers"]["behavior"] == json.loads(path.read_text())["behavior"] == "fc5"  # kept
    for region, by_layer in choice["scores"].items():
        assert choice["layers"][region] == max(by_layer, key=by_layer.get)
        assert set(choice["subjects"][region]) == {f"subj{s:02d}" for s in range(1, 9)}
    score = load_benchmark("Allen2022_fmri.IT-rsa")(load_model(MODEL))
    assert score.attrs["layer"] == choice["layers"]["IT"]


def test_selection_scores_are_those_of_a_benchmark_on_the_selection_images(own_copy, measured):
    choice, _ = commitment.recommit(MODEL, ["Allen2022_fmri"])
    [benchmark] = [b for b in selection.benchmarks("Allen2022_fmri") if b.region == "V4"]
    raw = float(benchmark(from_checkpoint(own_copy, {"V4": "relu2"})).attrs["raw"])
    assert choice["scores"]["V4"]["relu2"] == pytest.approx(raw, abs=1e-6)


def test_scoring_on_the_images_that_chose_the_layer_is_refused(own_copy, measured, monkeypatch):
    commitment.recommit(MODEL, ["Allen2022_fmri"])
    train = data_registry["Allen2022_fmri_train"]()
    monkeypatch.setitem(data_registry, "Allen2022_fmri_test", lambda: train)
    with pytest.raises(SelectionLeak, match="for IT was chosen on 30 of the 30 stimuli of Allen2022_fmri.IT-rsa"):
        load_benchmark("Allen2022_fmri.IT-rsa")(load_model(MODEL))


@pytest.mark.slow
def test_own_images_of_each_subject_are_preferred_and_averaged_over_subjects(own_copy, measured, tmp_path):
    for subject, first in (("subj01", 1000), ("subj02", 2000)):
        ids = [f"nsd_{first + i:05d}" for i in range(20)]
        name = f"Allen2022_fmri_local.V1.train.{subject}"
        fake_brains.save_local(tmp_path, name, f"Allen2022_fmri_local.train.{subject}", ids, [subject])
    selection.benchmarks.cache_clear()
    choice, _ = commitment.recommit(MODEL, ["Allen2022_fmri", "World_selection"])
    assert choice["selection"] == {
        "V1": "Allen2022_fmri",
        **dict.fromkeys(("V2", "V4", "IT", "behavior"), "World_selection"),
    }
    assert len(choice["stimuli"]["Allen2022_fmri"]) == 40 and set(choice["subjects"]["V1"]) == {"subj01", "subj02"}
    each = [
        float(b(from_checkpoint(own_copy, {"V1": "relu1"})).attrs["raw"])
        for b in selection.benchmarks("Allen2022_fmri")
    ]
    assert choice["scores"]["V1"]["relu1"] == pytest.approx(np.mean(each), abs=1e-6)


@pytest.mark.slow
def test_brain_scores_own_models_can_be_committed(home):
    choice, path = commitment.recommit("pixels", ["World_selection"])
    assert path == home / "region_layer_map" / "pixels.json"
    assert (
        json.loads(path.read_text())
        == dict.fromkeys(("V1", "V2", "V4", "IT", "behavior"), "pixels")
        == choice["layers"]
    )


def test_no_layer_is_chosen_on_images_that_a_shipped_benchmark_scores():
    """By the names of the stimuli, over all benchmarks whose data are always here."""
    chosen = {i for b in selection.benchmarks("World_selection") for i in b.order}
    assert not chosen & {i for name in ("World.IT-rsa", "World.triplet") for i in load_benchmark(name).order}


def test_an_unknown_selection_lists_the_known(own_copy):
    with pytest.raises(ValueError, match="no selection 'NSD'; there are: World_selection, Allen2022_fmri, Papale2025"):
        commitment.recommit(MODEL, ["NSD"])
