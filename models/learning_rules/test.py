import pytest
from brainscore_vision import load_model

from brainscore_granularity.plugins import registrations
from brainscore_granularity.weights.checkpoints import CheckpointError
from brainscore_granularity.weights.find import checkpoint_of, find

LAYERS = {"V1": "conv1", "V2": "conv1", "V4": "conv3", "IT": "fc1"}
TRAINED = ("backprop", "feedback_alignment", "predictive_coding", "stdp")
SEEDS = range(1, 6)
IDS = [f"learningrule_{rule}_s{seed}" for rule in TRAINED for seed in SEEDS]
COARSE = [f"learningrule_{rule}_own_k{k}_s1" for rule in TRAINED[:3] for k in (2, 8)]
UNTRAINED = "learningrule_untrained_s1"


@pytest.mark.parametrize("start", ["untrained", "fitted"])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_network_before_learning_loads_with_the_layers_of_the_comparison(seed, start):
    model = load_model(f"learningrule_{start}_s{seed}")
    assert dict(model.layer_model.region_layer_map) == LAYERS


@pytest.mark.parametrize("identifier", IDS + COARSE)
def test_a_trained_network_loads_with_the_layers_of_the_comparison_and_is_above_chance(identifier):
    model, info = load_model(identifier), checkpoint_of(identifier).info
    assert dict(model.layer_model.region_layer_map) == LAYERS
    assert info["metrics"]["validation_accuracy"] > 1 / info["classes"] + 0.1


@pytest.mark.parametrize("identifier", IDS)
def test_a_network_that_is_not_there_says_how_to_train_it(identifier, tmp_path, monkeypatch):
    monkeypatch.setenv("BRAINSCORE_GRANULARITY_HOME", str(tmp_path / "home"))
    rule, seed = identifier.removeprefix("learningrule_").rsplit("_s", 1)
    with pytest.raises(
        CheckpointError, match=f"granularity train --recipe learning_rules .* --rule {rule} --seed {seed}"
    ) as error:
        find(identifier, tmp_path)
    assert "\n" not in str(error.value)


def test_these_are_all_that_are_registered():
    names = {*IDS, *COARSE, *(f"learningrule_{start}_s{seed}" for start in ("untrained", "fitted") for seed in SEEDS)}
    assert names == {name for name in registrations("models") if name.startswith("learningrule_")}
