import pytest
from brainscore_vision import load_model, load_model_bibtex

UNTRAINED = "learningrule_untrained_s1"


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_untrained_network_loads_with_the_layers_of_the_comparison(seed):
    model = load_model(f"learningrule_untrained_s{seed}")
    layers = {"V1": "conv1", "V2": "conv1", "V4": "conv3", "IT": "fc1"}
    assert dict(model.layer_model.region_layer_map) == layers


@pytest.mark.parametrize("rule", ["backprop", "feedback_alignment"])
def test_a_trained_network_loads(rule):
    assert load_model(f"learningrule_{rule}_s1").layer_model.region_layer_map["V4"] == "conv3"


@pytest.mark.parametrize("rule", ["backprop", "feedback_alignment", "predictive_coding", "stdp"])
def test_a_network_that_nobody_has_trained_says_how(rule):
    with pytest.raises(
        Exception, match=f"granularity train --recipe learning_rules .* --rule {rule} --seed 3"
    ) as error:
        load_model(f"learningrule_{rule}_s3")
    assert "\n" not in str(error.value)


def test_bibtex_has_what_the_leaderboard_needs():
    assert all(f"{field} = {{" in load_model_bibtex(UNTRAINED) for field in ("url", "author", "year"))
