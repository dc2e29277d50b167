import functools

import numpy as np
import pytest
from brainscore_vision import load_benchmark, load_model, load_stimulus_set
from brainscore_vision.model_helpers.activations.pytorch import (
    PytorchWrapper,
    load_preprocess_images,
)
from brainscore_vision.model_helpers.brain_transformation import ModelCommitment

from brainscore_granularity import rsa, stats
from brainscore_granularity.brains import layers
from brainscore_granularity.brains.recording import record
from brainscore_granularity.weights.find import commitment_of

MODEL = "granularity_world_own_k2_s1"


@pytest.fixture(scope="module")
def model():
    return load_model(MODEL)


@pytest.fixture(scope="module")
def stimuli():
    return load_stimulus_set("World_selection")


def recorded(model, stimuli, layer):
    activations = model.activations_model(stimuli, layers=[layer])
    return activations.transpose("presentation", "neuroid").values


@pytest.mark.slow
def test_features_on_disk_are_those_that_brain_score_records(model, stimuli):
    names = ["conv1", "relu3", "relu5"]
    with layers.spooled(model, stimuli, names) as spools:
        for name in names:
            expected = recorded(model, stimuli, name)
            assert np.allclose(spools[name].read(0, spools[name].width), expected, atol=1e-5), name
            assert np.allclose(spools[name].rdm(), rsa.rdm(expected), atol=1e-6)
        folder = spools["conv1"].path.parent
    assert not folder.exists()


def test_rows_follow_the_order_that_is_asked_for(model, stimuli):
    order = stimuli["stimulus_id"].values[::-1]
    with layers.spooled(model, stimuli, ["relu5"], order) as spools:
        assert np.allclose(spools["relu5"].read(0, 96), recorded(model, stimuli, "relu5")[::-1], atol=1e-5)


def test_means_over_groups_agree_with_those_of_recorded_features(model, stimuli):
    """Groups of unequal size, larger than a batch and smaller, in no order."""
    groups = np.minimum(np.random.default_rng(0).permutation(len(stimuli)) // 7, 14)
    assert np.bincount(groups).max() > layers.BATCH
    features = recorded(model, stimuli, model.layer_model.region_layer_map["IT"])
    expected = np.stack([features[groups == g].mean(axis=0) for g in range(15)])
    layer = model.layer_model.region_layer_map["IT"]
    with layers.spooled(model, stimuli, [layer], groups=groups) as spools:
        assert np.allclose(spools[layer].read(0, spools[layer].width), expected, atol=1e-5)
    assert np.allclose(record(model, "IT", stimuli, stimuli["stimulus_id"].values, groups), expected, atol=1e-5)


def test_hooks_of_a_models_wrapper_are_applied(stimuli):
    model = load_model("pixels")
    handle = model.activations_model._extractor.register_batch_activations_hook(
        lambda batch: {name: values[:, :2] for name, values in batch.items()}
    )
    with layers.spooled(model, stimuli, ["pixels"]) as spools:
        assert spools["pixels"].width == 2 * 256 * 3
    handle.remove()


@pytest.mark.parametrize("benchmark", ["World.IT-rsa", "World.triplet"])
def test_the_committed_layers_row_is_the_models_score(model, benchmark):
    benchmark = load_benchmark(benchmark)
    committed = commitment_of(MODEL)[1]["IT" if benchmark.identifier.endswith("rsa") else "behavior"]
    frame = layers.table(model, benchmark, ["conv2", "relu3", committed], n=19)
    assert frame["committed"].tolist() == [False, False, True]
    row, score = frame.iloc[2], benchmark(model)
    assert row["value"] == pytest.approx(score.item(), abs=1e-5)
    assert row["raw"] == pytest.approx(float(score.attrs["raw"]), abs=1e-5)
    for subject, value in score.attrs["subject_scores"].items():
        assert row[subject] == pytest.approx(value, abs=1e-5)
    assert frame.attrs["best"] == committed and row["p"] == 1 / 20 and frame.attrs["simulated"]


@pytest.mark.slow
def test_benchmarks_of_the_same_images_share_a_forward_pass(model, monkeypatch):
    passes, original = [], layers.spooled
    monkeypatch.setattr(layers, "spooled", lambda *args: passes.append(1) or original(*args))
    several = [load_benchmark(name) for name in ("World.V1-rsa", "World.triplet", "World_null.IT-rsa")]
    frames = layers.tables(model, several, ["relu1", "relu5"], n=9)
    assert len(passes) == 1 and [frame.attrs["benchmark"] for frame in frames] == [b.identifier for b in several]
    for benchmark, frame in zip(several, frames, strict=True):
        assert layers.table(model, benchmark, ["relu1", "relu5"], n=9).equals(frame)
    assert len(passes) == 4


@pytest.mark.parametrize("measure", ["dot", "cosine", "centred"])
def test_similarities_on_disk_are_those_of_the_triplet_benchmark(model, measure):
    benchmark = load_benchmark("World.triplet")
    benchmark.measure = measure
    frame = layers.table(model, benchmark, [commitment_of(MODEL)[1]["behavior"]], n=1)
    assert frame["value"].item() == pytest.approx(benchmark(model).item(), abs=1e-9)


@pytest.mark.slow
def test_p_knows_of_the_search():
    """More layers raise the bar; nothing is found in a brain that has nothing to do with the images."""
    benchmark = load_benchmark("World_null.IT-rsa")
    rng = np.random.default_rng(0)
    many = [rsa.rdm(rng.normal(size=(256, 5))) for _ in range(20)]
    together = benchmark.corrected_p(many, 99)
    alone = np.array([benchmark.corrected_p([rdm], 99)[0] for rdm in many])
    assert (together >= alone).all() and alone.min() < together.min() and together.min() > 0.01
    assert (together == stats.max_statistic(many, benchmark.subject_rdms, 99).p).all()


def test_a_dead_layer_has_no_score_and_the_others_do(model):
    import copy

    import torch

    network = copy.deepcopy(model.activations_model._model)
    torch.nn.init.zeros_(network.bn5.weight), torch.nn.init.constant_(network.bn5.bias, -1.0)
    wrapper = PytorchWrapper(
        identifier="dead",
        model=network,
        preprocessing=functools.partial(load_preprocess_images, image_size=network.image_size),
    )
    broken = ModelCommitment("dead", wrapper, ["relu4", "relu5"], region_layer_map={"IT": "relu4"}, visual_degrees=8)
    frame = layers.table(broken, load_benchmark("World.IT-rsa"), n=9).set_index("layer")
    assert np.isnan(frame.loc["relu5", ["value", "raw", "p"]].astype(float)).all()
    assert frame.loc["relu4", "value"] > 0.5 and frame.attrs["best"] == "relu4"
    with pytest.raises(rsa.DegenerateFeatures, match="no layer of dead"):
        layers.table(broken, load_benchmark("World.IT-rsa"), ["relu5"], n=9)


def test_a_model_without_layers_is_told_what_is_needed():
    with pytest.raises(TypeError, match="ModelCommitment"):
        layers.candidates(type("", (), {"identifier": "bare"})())
