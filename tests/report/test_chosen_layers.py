"""The shipped networks on the 92 images, with the layer chosen on half of them: values that a reader recomputed."""

import pytest

from brainscore_granularity.report import chosen_layers, differences, one_image_set

MODELS = ["granularity_tiny_own_k2_s1", "granularity_tiny_native_s1"]


@pytest.fixture
def rdms(kriegeskorte92):
    return {model: one_image_set.layer_rdms(model) for model in MODELS}


@pytest.mark.slow
def test_the_values_of_an_independent_recomputation(rdms):
    found = chosen_layers.cross_validated(rdms, chosen_layers.choices(rdms)).set_index(["model", "scale"])
    assert found.loc[(MODELS[0], "spiking"), "raw"] == pytest.approx(0.248, abs=0.01)
    assert found.loc[(MODELS[1], "behaviour"), "raw"] == pytest.approx(0.192, abs=0.01)
    assert (found["low"] < found["raw"]).all() and (found["raw"] < found["high"]).all()
    assert chosen_layers.curve(found.reset_index())["k"].tolist() == [2, 2, 2]
    header, rows = chosen_layers.rows_of(found.reset_index())
    assert len(header) == 7 == len(rows[0]) and len(rows) == 2
    against = differences.against(
        "native", MODELS, chosen_layers.estimates(rdms, chosen_layers.choices(rdms, splits=40))
    )
    assert against["model"].tolist() == [MODELS[0]] * 3 and against["q"].between(0, 1).all()
    assert "verdict" not in against  # without a fitted network there is no margin
