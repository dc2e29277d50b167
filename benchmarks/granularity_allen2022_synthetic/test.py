import pytest
from brainscore_vision import benchmark_registry, load_benchmark, load_dataset
from candidates import Given
from small_data import respond, rsa_by_the_book

REGIONS = {"early": "V1", "ventral": "IT"}


@pytest.mark.parametrize(("region", "recorded"), REGIONS.items())
def test_registry_and_what_is_known_without_the_data(region, recorded):
    benchmark = load_benchmark(f"Allen2022_fmri_synthetic.{region}-rsa")
    assert benchmark.identifier in benchmark_registry
    assert (benchmark.region, benchmark.parent, benchmark.visual_degrees) == (recorded, recorded, 8.4)
    assert benchmark.bibtex.startswith("@article{gifford2025synthetic")
    assert "@article{allen2022massive" in benchmark.bibtex


@pytest.mark.parametrize("region", REGIONS)
def test_score_by_the_book(small_data, region):
    small_data("Allen2022_fmri_synthetic_local")
    score = load_benchmark(f"Allen2022_fmri_synthetic.{region}-rsa")(Given(respond))
    data = load_dataset(f"Allen2022_fmri_synthetic_local.{region}.test")
    assert float(score.attrs["raw"]) == pytest.approx(rsa_by_the_book(data, region, ("nc_testset", 30)), abs=1e-9)
    assert set(score.attrs["partial"]) == {"pixels", "luminance", "luminance and pixels"}


@pytest.mark.parametrize("region", REGIONS)
def test_without_the_data_it_says_how_to_make_them(home, region):
    benchmark = load_benchmark(f"Allen2022_fmri_synthetic.{region}-rsa")
    assert benchmark.status() == "needs `granularity data prepare nsd-synthetic --from DIR`"
    with pytest.raises(FileNotFoundError, match="granularity data prepare nsd-synthetic --from DIR"):
        benchmark.targets  # noqa: B018
