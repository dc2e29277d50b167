import pytest
from brainscore_vision import load_model, score

MODEL = "granularity_tiny_own_k8_s1"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model_identifier", "benchmark_identifier", "expected"),
    [
        ("granularity_tiny_untrained_s1", "World.V1-rsa", 0.195),
        (MODEL, "World.IT-rsa", 0.069),
    ],
)
def test_score(model_identifier, benchmark_identifier, expected):
    actual = score(model_identifier=model_identifier, benchmark_identifier=benchmark_identifier, conda_active=True)
    assert actual == pytest.approx(expected, abs=0.005)


def test_score_on_measured_brains(kriegeskorte92):
    actual = score(model_identifier=MODEL, benchmark_identifier="Kriegeskorte2008.hIT-rsa", conda_active=True)
    assert actual == pytest.approx(0.288, abs=0.005)


@pytest.mark.parametrize("labels", ["own_k2", "own_k4", "own_k16", "own_k32", "own_k64", "native", "random_k8",
                                    "random_k64", "permuted_k8", "permuted_k64"])  # fmt: skip
def test_every_network_loads_with_its_layers(labels):
    model = load_model(f"granularity_tiny_{labels}_s1")
    assert set(model.layer_model.region_layer_map) == {"V1", "V2", "V4", "IT"}


@pytest.mark.parametrize("seed", range(1, 6))
def test_networks_before_training_have_the_layers_of_the_trained(seed):
    maps = [load_model(name).layer_model.region_layer_map
            for name in (MODEL, f"granularity_tiny_untrained_s{seed}", f"granularity_tiny_fitted_s{seed}")]  # fmt: skip
    assert dict(maps[0]) == dict(maps[1]) == dict(maps[2])
