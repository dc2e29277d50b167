import pytest
from brainscore_vision import load_model, score

MODEL = "granularity_world_own_k2_s1"


@pytest.mark.parametrize(
    ("model_identifier", "benchmark_identifier", "expected"),
    [
        (MODEL, "World.IT-rsa", 0.741),
        ("granularity_world_native_s1", "World_fine.IT-rsa", 0.264),
    ],
)
def test_score(model_identifier, benchmark_identifier, expected):
    actual = score(model_identifier=model_identifier, benchmark_identifier=benchmark_identifier, conda_active=True)
    assert actual == pytest.approx(expected, abs=0.005)


def test_commitment_is_stored_and_no_benchmark_is_downloaded_for_it():
    assert set(load_model(MODEL).layer_model.region_layer_map) == {"V1", "V2", "V4", "IT"}
