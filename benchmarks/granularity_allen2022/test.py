import numpy as np
import pytest
from brainscore_vision import benchmark_registry, load_benchmark, load_dataset
from candidates import Given
from small_data import respond, ridge_by_the_book, rsa_by_the_book

IN_BRAINSCORE = {"V1": "V1", "V2": "V2", "V4": "V4", "IT": "IT"}
LOCAL = {"V3": "V2", "early": "V1", "ventral": "IT", "FFA": "IT", "PPA": "IT"}
RELIABLE = ("nc_testset", 30)


@pytest.mark.parametrize(("region", "recorded"), [*IN_BRAINSCORE.items(), *LOCAL.items()])
def test_registry_and_what_is_known_without_the_data(region, recorded):
    benchmark = load_benchmark(f"Allen2022_fmri.{region}-rsa")
    assert benchmark.identifier in benchmark_registry
    assert (benchmark.region, benchmark.parent, benchmark.visual_degrees) == (recorded, recorded, 8.4)
    assert benchmark.bibtex.startswith("@article{allen2022massive")


@pytest.mark.parametrize("region", [*IN_BRAINSCORE, *LOCAL])
def test_score_by_the_book(small_data, region):
    """Other regions than Brain-Score's come from a local build, under the same rules."""
    data = "Allen2022_fmri_test" if region in IN_BRAINSCORE else f"Allen2022_fmri_local.{region}.test"
    small_data("Allen2022_fmri_test" if region in IN_BRAINSCORE else "Allen2022_fmri_local")
    score = load_benchmark(f"Allen2022_fmri.{region}-rsa")(Given(respond))
    expected = rsa_by_the_book(load_dataset(data), region, RELIABLE)
    assert float(score.attrs["raw"]) == pytest.approx(expected, abs=1e-9)
    assert len(score.attrs["subject_scores"]) == 8 and score.attrs["ceiling"].attrs["kind"] == "subjects"


@pytest.mark.parametrize("region", LOCAL)
def test_a_region_that_only_a_local_build_has_says_how_to_make_it(home, region):
    benchmark = load_benchmark(f"Allen2022_fmri.{region}-rsa")
    assert benchmark.status() == "needs `granularity data prepare nsd --from DIR`"
    with pytest.raises(FileNotFoundError, match="NSD terms and conditions.*granularity data prepare nsd --from DIR"):
        benchmark.targets  # noqa: B018


@pytest.mark.parametrize("region", IN_BRAINSCORE)
def test_the_owners_data(measured_benchmark, region):
    targets = measured_benchmark(f"Allen2022_fmri.{region}-rsa").targets
    assert targets.rdms.shape == (8, 103, 103) and targets.subjects == [f"subj{s:02d}" for s in range(1, 9)]


@pytest.mark.slow
def test_ridge_by_the_book(small_data):
    small_data("Allen2022_fmri_local")
    benchmark = load_benchmark("Allen2022_fmri.FFA-ridge")
    score = benchmark(Given(respond))
    used = dict(zip(score.attrs["population_scores"], benchmark._used, strict=True))
    raw = ridge_by_the_book(load_dataset("Allen2022_fmri_local.FFA.test"), RELIABLE, used)
    expected = {name: each / np.sqrt(0.6) for name, each in raw.items()}  # nc_testset of all: 60%
    assert score.attrs["subject_scores"] == pytest.approx(expected, abs=1e-6) and len(expected) == 8
    assert score.attrs["ceiling"].attrs["kind"] == "repeats" and float(score) == pytest.approx(
        np.mean([*expected.values()])
    )


@pytest.mark.parametrize(("region", "recorded"), LOCAL.items())
def test_encoding_of_regions_that_brain_score_lacks(region, recorded, home):
    benchmark = load_benchmark(f"Allen2022_fmri.{region}-ridge")
    assert (benchmark.region, benchmark.parent, benchmark.visual_degrees) == (recorded, recorded, 8.4)
    with pytest.raises(FileNotFoundError, match="granularity data prepare nsd --from DIR"):
        benchmark.populations  # noqa: B018
