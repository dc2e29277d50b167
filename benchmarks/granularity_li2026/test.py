import pytest
from brainscore_vision import benchmark_registry, load_benchmark, load_dataset
from candidates import Given
from small_data import respond, rsa_by_the_book

REGIONS = ["V1", "V2", "V4", "IT"]


@pytest.mark.parametrize("region", REGIONS)
def test_registry_and_what_is_known_without_the_data(region):
    benchmark = load_benchmark(f"Li2026.{region}-rsa")
    assert benchmark.identifier in benchmark_registry
    assert (benchmark.region, benchmark.parent, benchmark.visual_degrees) == (region, region, 11)
    assert benchmark.bibtex.startswith("@article{li2026triplen")


@pytest.mark.parametrize("region", REGIONS)
def test_score_by_the_book(small_data, region):
    """Units are chosen by the reliability of the window that is scored, not by that of their best window."""
    small_data("Li2026")
    assembly = load_dataset("Li2026")
    expected = rsa_by_the_book(assembly, region, ("reliability_window", 0.4), subject="animal")
    score = load_benchmark(f"Li2026.{region}-rsa")(Given(respond))
    assert float(score.attrs["raw"]) == pytest.approx(expected, abs=1e-9)
    assert rsa_by_the_book(assembly, region, ("reliability", 0.4), subject="animal") < expected - 0.05


def test_an_animal_with_too_few_units_is_left_out(small_data):
    small_data("Li2026")
    assert set(load_dataset("Li2026")["animal"].values) == {"M1", "M2", "M3", "M4", "M5"}
    benchmark = load_benchmark("Li2026.IT-rsa")
    assert benchmark.targets.subjects == ["M1", "M2", "M3", "M4"] and benchmark.ceiling.attrs["kind"] == "subjects"


@pytest.mark.parametrize("region", REGIONS)
def test_the_owners_data(measured_benchmark, region):
    targets = measured_benchmark(f"Li2026.{region}-rsa").targets
    assert targets.rdms.shape[1:] == (1000, 1000) and 1 <= len(targets.subjects) <= 5
    assert len(targets.stimulus_set) == 1000
