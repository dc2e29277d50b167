import pytest
from brainscore_vision import load_model, score

MODEL = "scaling_resnet18_w1of16_d300_s1"


@pytest.mark.slow
@pytest.mark.parametrize("width", ["1of16", "1of8", "1of4", "1of2", "1", "2"])
def test_networks_before_training_load_from_their_seed_and_share_their_layers(width):
    maps = [load_model(f"scaling_resnet18_w{width}_{start}_s1").layer_model.region_layer_map
            for start in ("untrained", "fitted")]  # fmt: skip
    assert set(maps[0]) == {"V1", "V2", "V4", "IT"} and dict(maps[0]) == dict(maps[1])


@pytest.mark.parametrize("images", [1, 3, 10, 30, 100])
def test_layers_do_not_depend_on_the_number_of_images(images):
    maps = [load_model(name).layer_model.region_layer_map for name in (MODEL, f"scaling_resnet18_w1of16_d{images}_s1")]
    assert dict(maps[0]) == dict(maps[1])


def test_training_counts(kriegeskorte92):
    """Many images of every class align better than one does."""
    few, many = (
        score(model_identifier=name, benchmark_identifier="Kriegeskorte2008.judgment-rsa", conda_active=True)
        for name in ("scaling_resnet18_w1of16_d1_s1", MODEL)
    )
    assert few == pytest.approx(0.047, abs=0.005) and many == pytest.approx(0.293, abs=0.005)
