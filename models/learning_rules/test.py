import pytest
from brainscore_vision import load_model, load_model_bibtex

from brainscore_granularity.brain_model import checkpoint_of
from brainscore_granularity.plugins import registrations

LAYERS = {"V1": "conv1", "V2": "conv1", "V4": "conv3", "IT": "fc1"}
TRAINED = {"backprop": (1, 2, 3, 4), "feedback_alignment": (1, 2, 3), "predictive_coding": (1, 5), "stdp": (1,)}
LACKING = [
    f"learningrule_{rule}_s{seed}"
    for rule in ("backprop", "feedback_alignment", "predictive_coding", "stdp")
    for seed in range(1, 6)
    if seed not in TRAINED.get(rule, ())
]
UNTRAINED = "learningrule_untrained_s1"


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_untrained_network_loads_with_the_layers_of_the_comparison(seed):
    model = load_model(f"learningrule_untrained_s{seed}")
    assert dict(model.layer_model.region_layer_map) == LAYERS


@pytest.mark.parametrize("identifier", [f"learningrule_{rule}_s{seed}" for rule in TRAINED for seed in TRAINED[rule]])
def test_a_trained_network_loads_with_the_layers_of_the_comparison_and_is_above_chance(identifier):
    model = load_model(identifier)
    assert dict(model.layer_model.region_layer_map) == LAYERS
    assert checkpoint_of(identifier).info["metrics"]["validation_accuracy"] > 0.2


@pytest.mark.parametrize("identifier", LACKING)
def test_a_network_that_nobody_has_trained_says_how(identifier):
    rule, seed = identifier.removeprefix("learningrule_").rsplit("_s", 1)
    with pytest.raises(
        Exception, match=f"granularity train --recipe learning_rules .* --rule {rule} --seed {seed}"
    ) as error:
        load_model(identifier)
    assert "\n" not in str(error.value)


def test_every_id_is_one_or_the_other():
    names = {f"learningrule_{rule}_s{seed}" for rule in TRAINED for seed in TRAINED[rule]} | set(LACKING)
    assert names == {name for name in registrations("models") if name.startswith("learningrule_")} - {
        f"learningrule_untrained_s{seed}" for seed in range(1, 6)
    }


def test_bibtex_has_what_the_leaderboard_needs():
    assert all(f"{field} = {{" in load_model_bibtex(UNTRAINED) for field in ("url", "author", "year"))
