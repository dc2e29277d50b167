import pytest
from brainscore_vision import benchmark_registry, load_benchmark, load_model
from brainscore_vision.benchmark_helpers.cache_contract import assert_stimulus_identifier_is_cacheable

BENCHMARKS = [
    "World.V1-rsa",
    "World.IT-rsa",
    "World.triplet",
    "World_fine.IT-rsa",
    "World_fine.triplet",
    "World_null.IT-rsa",
    "World_null.triplet",
]


@pytest.mark.parametrize("identifier", BENCHMARKS)
def test_loads_and_has_a_ceiling(identifier):
    benchmark = load_benchmark(identifier)
    assert identifier in benchmark_registry and benchmark.identifier == identifier
    assert 1 / 3 < benchmark.ceiling <= 1
    assert_stimulus_identifier_is_cacheable(benchmark.stimulus_set.identifier)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("identifier", "expected"), [("World.V1-rsa", 0.007), ("World.IT-rsa", 0.037), ("World.triplet", 0.029)]
)
def test_reference_score_of_pixels(identifier, expected):
    assert load_benchmark(identifier)(load_model("pixels")) == pytest.approx(expected, abs=0.01)
