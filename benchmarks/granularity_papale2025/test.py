import fake_brains
import pytest
from brainscore_vision import benchmark_registry, load_benchmark, load_dataset
from candidates import Given
from small_data import respond, rsa_by_the_book

REGIONS = ["V1", "V4", "IT"]
# of Brain-Score's data set: electrodes with a reliability above .3, counted by its own tests
RELIABLE = {
    "V1": {"monkeyF": 332, "monkeyN": 410},
    "V4": {"monkeyF": 117, "monkeyN": 198},
    "IT": {"monkeyF": 157, "monkeyN": 141},
}


@pytest.mark.parametrize("region", REGIONS)
def test_registry_and_what_is_known_without_the_data(region):
    benchmark = load_benchmark(f"Papale2025.{region}-rsa")
    assert benchmark.identifier in benchmark_registry
    assert (benchmark.region, benchmark.parent, benchmark.visual_degrees) == (region, region, 18)
    assert benchmark.bibtex.startswith("@article{papale2025extensive")


@pytest.mark.parametrize("region", REGIONS)
def test_score_by_the_book(small_data, region):
    small_data("Papale2025_test")
    benchmark = load_benchmark(f"Papale2025.{region}-rsa")
    expected = rsa_by_the_book(load_dataset("Papale2025_test"), region, ("reliability", 0.3))
    assert float(benchmark(Given(respond)).attrs["raw"]) == pytest.approx(expected, abs=1e-9)
    assert 0.3 < expected < 0.95


def test_unreliable_electrodes_and_those_with_nan_are_dropped(small_data):
    small_data("Papale2025_test")
    kept = load_benchmark("Papale2025.IT-rsa").targets.neuroids
    assert load_dataset("Papale2025_test").sizes["neuroid"] == 2 * 3 * (fake_brains.GOOD + fake_brains.BAD)
    assert kept == {"monkeyF": fake_brains.GOOD - 1, "monkeyN": fake_brains.GOOD - 1}


def test_two_monkeys_get_their_ceiling_from_repeats(small_data):
    small_data("Papale2025_test")
    ceiling = load_benchmark("Papale2025.IT-rsa").ceiling.attrs
    assert ceiling["kind"] == "repeats" and 0.9 < ceiling["lower"] < ceiling["upper"] < 1


@pytest.mark.parametrize("region", REGIONS)
def test_the_owners_data(measured_benchmark, region):
    targets = measured_benchmark(f"Papale2025.{region}-rsa").targets
    assert targets.rdms.shape == (2, 100, 100) and targets.neuroids == RELIABLE[region]
