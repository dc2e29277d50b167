import pytest
from brainscore_vision import load_benchmark, load_model
from brainscore_vision.benchmark_helpers.cache_contract import assert_stimulus_identifier_is_cacheable

TARGETS = ["hIT", "mIT", "judgment"]


@pytest.mark.parametrize(("target", "lower", "upper"), [("hIT", 0.379, 0.661), ("judgment", 0.478, 0.575)])
def test_published_noise_ceilings(kriegeskorte92, target, lower, upper):
    ceiling = load_benchmark(f"Kriegeskorte2008.{target}-rsa").ceiling
    assert ceiling.attrs["mean_pool"] == pytest.approx((lower, upper), abs=5e-4)
    assert ceiling.item() == ceiling.attrs["upper"] == pytest.approx(upper, abs=0.01)


@pytest.mark.slow
def test_one_pooled_population_has_no_ceiling_and_says_so(kriegeskorte92):
    score = load_benchmark("Kriegeskorte2008.mIT-rsa")(load_model("pixels"))
    assert score.attrs["ceiling"].attrs["kind"] == "unknown"
    assert score.item() == float(score.attrs["raw"])


@pytest.mark.parametrize("target", TARGETS)
def test_stimuli(kriegeskorte92, target):
    stimuli = load_benchmark(f"Kriegeskorte2008.{target}-rsa").stimulus_set
    assert len(stimuli) == 92 == stimuli["stimulus_id"].nunique() and stimuli["animal"].sum() == 48
    assert_stimulus_identifier_is_cacheable(stimuli.identifier)


@pytest.mark.slow
@pytest.mark.parametrize(("target", "expected"), [("hIT", 0.106), ("mIT", 0.145), ("judgment", 0.107)])
def test_reference_score_of_pixels(kriegeskorte92, target, expected):
    """As known for pixels at 175 px; Brain-Score's pixels see 256 px."""
    score = load_benchmark(f"Kriegeskorte2008.{target}-rsa")(load_model("pixels"))
    assert score.attrs["mean_rdm_score"] == pytest.approx(expected, abs=0.005)
