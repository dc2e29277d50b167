import pytest
from brainscore_vision import benchmark_registry, load_benchmark, load_dataset
from candidates import Given
from small_data import respond, ridge_by_the_book, rsa_by_the_book

RECORDED = {"V1": "V1", "V2": "V2", "V4": "V4", "LOC": "IT", "IT": "IT"}
# of Brain-Score's data set: voxels of which more than 30% can be explained, counted by its own tests
RELIABLE = {
    "V1": {"01": 385, "02": 356, "03": 174},
    "V2": {"01": 257, "02": 278, "03": 131},
    "V4": {"01": 152, "02": 225, "03": 101},
    "IT": {"01": 250, "02": 389, "03": 120},
}


@pytest.mark.parametrize(("region", "recorded"), RECORDED.items())
def test_registry_and_what_is_known_without_the_data(region, recorded):
    benchmark = load_benchmark(f"Hebart2023_fmri.{region}-rsa")
    assert benchmark.identifier in benchmark_registry
    assert (benchmark.region, benchmark.parent, benchmark.visual_degrees) == (recorded, recorded, 10)
    assert benchmark.bibtex.startswith("@article{hebart2023things")


@pytest.mark.parametrize("region", RECORDED)
def test_score_by_the_book(small_data, region):
    """LOC is none of Brain-Score's regions and comes from a local build."""
    local = region == "LOC"
    small_data("Hebart2023_fmri_local" if local else "Hebart2023_fmri_test")
    data = load_dataset("Hebart2023_fmri_local.LOC.test" if local else "Hebart2023_fmri_test")
    score = load_benchmark(f"Hebart2023_fmri.{region}-rsa")(Given(respond))
    assert float(score.attrs["raw"]) == pytest.approx(rsa_by_the_book(data, region, ("nc_testset", 30)), abs=1e-9)
    assert list(score.attrs["subject_scores"]) == ["01", "02", "03"]


def test_loc_says_how_to_make_it(home):
    benchmark = load_benchmark("Hebart2023_fmri.LOC-rsa")
    assert benchmark.status() == "needs `granularity data prepare things-fmri --from DIR`"
    with pytest.raises(FileNotFoundError, match="figshare.*granularity data prepare things-fmri --from DIR"):
        benchmark.targets  # noqa: B018


@pytest.mark.parametrize("region", RELIABLE)
def test_the_owners_data(measured_benchmark, region):
    targets = measured_benchmark(f"Hebart2023_fmri.{region}-rsa").targets
    assert targets.rdms.shape == (3, 100, 100) and targets.neuroids == RELIABLE[region]


def test_ridge_by_the_book(small_data):
    small_data("Hebart2023_fmri_local")
    benchmark = load_benchmark("Hebart2023_fmri.LOC-ridge")
    score = benchmark(Given(respond))
    used = dict(zip(score.attrs["population_scores"], benchmark._used, strict=True))
    raw = ridge_by_the_book(load_dataset("Hebart2023_fmri_local.LOC.test"), ("nc_testset", 30), used)
    assert list(raw) == ["01", "02", "03"] and all(one.repeated and one.signal.min() > 0.9 for one in benchmark.members)
    for name, value in score.attrs["subject_scores"].items():  # noise of 12 repeats: little
        assert raw[name] < value < raw[name] * 1.05
