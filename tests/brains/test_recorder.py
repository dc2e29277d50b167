"""What is shared between pairs changes no number, and nothing is served to whom it does not belong."""

from types import SimpleNamespace

import brainscore_vision
import numpy as np
import pytest
from brainscore_vision.benchmark_helpers.neural_common import RSABenchmark
from brainscore_vision.model_interface import BrainModel

from brainscore_granularity import runner
from brainscore_granularity.brains import catalogue
from brainscore_granularity.brains import kept_rdms as responses
from brainscore_granularity.brains import recorder as reuse
from brainscore_granularity.brains.preprocessed import Preprocessed
from brainscore_granularity.runner.session import Session
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.weights.find import checkpoint_of

MODEL, OTHER = "granularity_world_own_k2_s1", "granularity_world_untrained_s1"
EMBEDDED = [name for name in catalogue.ours("benchmarks") if name.startswith("World")]


@pytest.mark.slow
def test_every_embedded_pair_has_the_value_of_brainscore_score_bit_for_bit(tmp_path, home):
    models = [name for name in catalogue.ours("models") if name.startswith("granularity_world")]
    table = runner.score_grid(models, EMBEDDED, tmp_path)
    assert len(table) == len(models) * len(EMBEDDED) >= 98
    for row in table.itertuples():
        theirs = brainscore_vision.score(row.model, row.benchmark)
        assert (row.value, row.raw) == (theirs.item(), float(theirs.attrs["raw"])), (row.model, row.benchmark)


@pytest.fixture
def theirs(monkeypatch):
    """A benchmark of Brain-Score's own class, on the world's images and subjects."""
    load = brainscore_vision.load_benchmark

    def rsa(name):
        if name != "theirs":
            return load(name)
        assembly = brainscore_vision.load_dataset("World.IT")
        assembly = assembly[{"presentation": assembly["repetition"].values == 0}]
        assembly = assembly.expand_dims("time_bin_start").expand_dims("time_bin_end")
        assembly["time_bin_start"], assembly["time_bin_end"] = [70], [170]
        assembly = assembly.stack(time_bin=["time_bin_start", "time_bin_end"]).squeeze("time_bin")
        assembly.attrs.update(brainscore_vision.load_dataset("World.IT").attrs)
        return RSABenchmark("theirs", 1, assembly, "IT", 8, 1, "", ceiler=brainscore_vision.load_metric("rsa_ceiling"))

    monkeypatch.setattr(brainscore_vision, "load_benchmark", rsa)
    return rsa("theirs")


@pytest.mark.slow
def test_brain_scores_own_benchmark_class_gets_the_same_value_and_shares_the_pass(theirs, home):
    expected = theirs(brainscore_vision.load_model(MODEL))
    session = Session()
    records = [session.score(MODEL, "World.IT-rsa", later=["theirs"]), session.score(MODEL, "theirs")]
    assert [record["status"] for record in records] == ["ok", "ok"], records
    assert records[1]["value"] == expected.item() and session.recorder.passes == 1


@pytest.mark.slow
def test_one_pass_serves_all_benchmarks_that_share_images(home):
    session = Session()
    names = ["World.V1-rsa", "World.IT-rsa", "World.triplet", "World_fine.triplet"]
    records = [session.score(MODEL, name, later=names[i + 1 :]) for i, name in enumerate(names)]
    assert all(record["status"] == "ok" for record in records) and session.recorder.passes == 1
    layers = {record["layer"] for record in records}
    assert len(layers) >= 2
    assert {layer for held in session.recorder._held.values() for layer in held} == {records[-1]["layer"]}


@pytest.fixture
def recorded(home):
    """A loaded model, its recorder and images as the extractor is given them."""
    model = brainscore_vision.load_model(MODEL)
    stimuli = brainscore_vision.load_stimulus_set("World")
    paths = [str(stimuli.get_stimulus(stimulus)) for stimulus in stimuli["stimulus_id"][:70]]
    plain = brainscore_vision.load_model(MODEL).activations_model._extractor
    return reuse.attach(model), model.activations_model._extractor, plain, paths


def activations(extractor, paths, *layers):
    return extractor._get_activations_batched(paths, list(layers), 64, False)


def test_activations_are_those_of_brain_score_bit_for_bit_whatever_was_asked_before(recorded):
    recorder, extractor, plain, paths = recorded
    recorder.expect(8, [reuse.Need(tuple(paths), 8, ("relu5", "conv1"))])
    for layers in (["relu2"], ["relu5"], ["conv1", "relu5"], ["relu1", "conv1"]):
        ours, theirs = activations(extractor, paths, *layers), activations(plain, paths, *layers)
        assert list(ours) == list(theirs)
        assert all(np.array_equal(ours[layer], theirs[layer]) for layer in layers)
    assert recorder.passes == 2  # relu1 was not expected


def test_another_order_or_subset_is_another_pass_and_the_batches_are_its_own(recorded):
    recorder, extractor, plain, paths = recorded
    for shown in (paths, paths[::-1], paths[:9]):
        assert np.array_equal(
            activations(extractor, shown, "relu5")["relu5"], activations(plain, shown, "relu5")["relu5"]
        )
    assert recorder.passes == 3


def test_what_one_benchmark_does_to_its_activations_no_other_sees(recorded):
    _, extractor, _, paths = recorded
    first = activations(extractor, paths, "relu5")["relu5"]
    before = first.copy()
    first[:] = 0
    assert np.array_equal(activations(extractor, paths, "relu5")["relu5"], before)


def test_an_image_that_changed_is_looked_at_again(recorded, tmp_path):
    import shutil

    recorder, extractor, _, paths = recorded
    copies = [shutil.copy(path, tmp_path) for path in paths[:3]]
    before = activations(extractor, copies, "relu5")["relu5"]
    shutil.copy(paths[9], copies[0])
    after = activations(extractor, copies, "relu5")["relu5"]
    assert recorder.passes == 2
    assert not np.array_equal(after[0], before[0]) and np.array_equal(after[1:], before[1:])


def test_what_exceeds_the_memory_waits_on_disk_and_is_the_same(recorded):
    recorder, extractor, plain, paths = recorded
    recorder._budget = 0
    ours = activations(extractor, paths, "conv1")["conv1"]
    assert type(ours) is np.ndarray and np.array_equal(ours, activations(plain, paths, "conv1")["conv1"])
    assert all(isinstance(kept, np.memmap) for held in recorder._held.values() for kept in held.values())


def test_a_later_benchmarks_unknown_layer_does_not_harm_this_one(recorded):
    recorder, extractor, _, paths = recorded
    recorder.expect(8, [reuse.Need(tuple(paths), 8, ("no_such_layer",))])
    assert activations(extractor, paths, "relu5")["relu5"].shape[0] == len(paths)


def test_a_task_that_one_benchmark_started_does_not_reach_the_next(home):
    session = Session()
    first = session.load(MODEL, "World.IT-rsa")
    first.start_task(BrainModel.Task.odd_one_out)
    second = session.load(MODEL, "World.IT-rsa")
    assert first.do_behavior and not second.do_behavior
    assert first.activations_model is second.activations_model


@pytest.mark.slow
def test_rdms_are_kept_by_weights_and_images_and_a_damaged_one_is_made_again(home):
    first = Session()
    expected = first.score(MODEL, "World.IT-rsa")["value"]
    (kept,) = home.glob("rdms/*/*.npz")
    second = Session()
    assert second.score(MODEL, "World.IT-rsa")["value"] == expected and second.recorder.passes == 0
    other = Session()
    assert other.score(OTHER, "World.IT-rsa")["value"] != expected and other.recorder.passes == 1
    kept.write_bytes(kept.read_bytes()[:-1000])
    third = Session()
    assert third.score(MODEL, "World.IT-rsa")["value"] == expected and third.recorder.passes == 1


def test_retrained_weights_under_one_name_get_their_own_rdm_also_in_a_running_session(home):
    session = Session()
    before = session.score(MODEL, "World.IT-rsa")
    shipped, untrained = checkpoint_of(MODEL), checkpoint_of(OTHER).state_dict()
    untrained["head.weight"], untrained["head.bias"] = untrained["head.weight"][:2], untrained["head.bias"][:2]
    retrained = checkpoints.save(checkpoints.default_store(), MODEL, untrained, shipped.info)
    from brainscore_granularity.brains import commitment

    commitment.save(retrained, before["fingerprint"]["layers"], {})
    after = session.score(MODEL, "World.IT-rsa")
    assert after["checkpoint"] == retrained.sha256 != before["checkpoint"] and after["value"] != before["value"]


def test_without_a_session_benchmarks_ask_the_model_in_brain_scores_way(home):
    model = brainscore_vision.load_model(MODEL)
    assert responses.features(model, "IT", brainscore_vision.load_stimulus_set("World")) is None


@pytest.mark.slow
def test_every_layer_is_scored_from_one_pass_and_the_committed_one_as_ever(home):
    session = Session(all_layers=True)
    record = session.score(MODEL, "World.IT-rsa")
    model = brainscore_vision.load_model(MODEL)
    assert list(record["layers"]) == list(model.layers) and session.recorder.passes == 1
    assert record["layers"][record["layer"]]["value"] == record["value"]
    assert len({score["raw"] for score in record["layers"].values()}) > 5


@pytest.mark.slow
def test_images_are_read_once_for_models_of_one_input_size(home, monkeypatch):
    from brainscore_vision.model_helpers.activations import pytorch

    read = []
    theirs = pytorch.load_image
    monkeypatch.setattr(pytorch, "load_image", lambda path: read.append(path) or theirs(path))
    session = Session()
    values = [session.score(model, "World.IT-rsa")["value"] for model in (MODEL, OTHER)]
    images = [path for path in read if "probe" not in str(path)]
    assert len(images) == len(set(images)) == len(brainscore_vision.load_stimulus_set("World"))
    monkeypatch.undo()
    assert values == [brainscore_vision.score(model, "World.IT-rsa").item() for model in (MODEL, OTHER)]


def test_kept_images_obey_their_budget_and_know_their_files(recorded, tmp_path):
    import shutil

    _, extractor, plain, paths = recorded
    one_batch = plain.preprocess(paths[:2]).nbytes
    shared = Preprocessed(budget=2 * one_batch)
    shared.share(extractor)
    batches = [paths[i : i + 2] for i in range(0, 10, 2)]
    for batch in (*batches, batches[0], [paths[0]] * 3):
        assert np.array_equal(extractor.preprocess(batch), plain.preprocess(batch))
        assert sum(held.nbytes for held in shared._batches.values()) <= 2 * one_batch
    copies = [shutil.copy(path, tmp_path) for path in paths[:2]]
    extractor.preprocess(copies)
    shutil.copy(paths[5], copies[0])
    assert np.array_equal(extractor.preprocess(copies), plain.preprocess(copies))


def test_a_model_that_has_not_chosen_its_layer_does_so_only_when_it_may():
    from brainscore_vision.model_helpers.brain_transformation import RegionLayerMap

    asked = []
    lazy = RegionLayerMap(lambda **about: asked.append(about) or "conv3", {"IT": "a benchmark to download"})
    model = SimpleNamespace(layer_model=SimpleNamespace(region_layer_map=lazy))
    assert reuse.committed_layers(model, "IT") == [] and not asked
    assert reuse.committed_layers(model, "IT", choose=True) == ["conv3"] and len(asked) == 1
    assert reuse.committed_layers(model, "IT") == ["conv3"] and reuse.committed_layers(model, "V9", choose=True) == []
    assert reuse.committed_layers(model, "behavior") == reuse.committed_layers(object(), "IT", choose=True) == []
