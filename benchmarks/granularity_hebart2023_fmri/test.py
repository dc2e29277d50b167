import fake_things
import numpy as np
import pytest
from brainscore_vision import benchmark_registry, load_benchmark, load_dataset
from candidates import Given
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from small_data import respond, ridge_by_the_book, rsa_by_the_book

from brainscore_granularity.brains import selection
from brainscore_granularity.brains.shown import SelectionLeak
from brainscore_granularity.datasets.prepare.things import fmri

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


@pytest.mark.parametrize("region", ["V1", "V2", "LOC", "IT"])
def test_720_concepts_by_the_book(small_data, region):
    """One image a concept, shown once: a score for each person, their mean, and that with their mean RDM."""
    small_data("Hebart2023_fmri_local")
    data = load_dataset(f"Hebart2023_fmri_local.{region}.concepts720")
    benchmark = load_benchmark(f"Hebart2023_fmri.{region}-720-rsa")
    score = benchmark(Given(respond))
    assert benchmark.region == RECORDED[region] and score.attrs["ceiling"].attrs["kind"] == "subjects"
    assert float(score.attrs["raw"]) == pytest.approx(rsa_by_the_book(data, region, ("nc_testset", 30)), abs=1e-6)
    people = score.attrs["subject_scores"]
    assert list(people) == ["01", "02", "03"] and np.mean(list(people.values())) == pytest.approx(
        float(score.attrs["raw"])
    )
    good, ids = data["nc_testset"].values > 30, data["stimulus_id"].values
    rdms = [pdist(data.values[:, good & (data["subject"].values == who), 0], "correlation") for who in people]
    answers = pdist(respond(ids), "correlation")
    assert [spearmanr(answers, rdm)[0] for rdm in rdms] == pytest.approx(list(people.values()), abs=1e-6)
    assert score.attrs["mean_rdm_score"] == pytest.approx(spearmanr(answers, np.mean(rdms, axis=0))[0], abs=1e-6)
    assert "leutenegger2026untrained" in benchmark.bibtex


def test_layers_chosen_on_train_images_are_not_scored_on_the_720(small_data):
    """The selection draws from the train images, which the 720 are."""
    small_data("Hebart2023_fmri_local", "Hebart2023_fmri_train")
    (chosen,) = [one for one in selection.SELECTIONS["Hebart2023_fmri"]() if one.region == "V1"]
    model = Given(respond)
    model.selection_shown = {"V1": sorted(frozenset().union(*chosen.shows))}
    with pytest.raises(SelectionLeak, match="was chosen on 30 of the 30 stimuli of Hebart2023_fmri.V1-720-rsa"):
        load_benchmark("Hebart2023_fmri.V1-720-rsa")(model)


def test_720_from_the_owners_files(home, tmp_path):
    """From the tables, here small ones, to targets; subjects with fewer than ten voxels do not count."""
    fake_things.write_images(tmp_path / "object_images", fake_things.FMRI_TRAIN + fake_things.FMRI_TEST)
    fake_things.write_fmri(tmp_path / "betas_csv")
    fmri.prepare(tmp_path)
    benchmark = load_benchmark("Hebart2023_fmri.LOC-720-rsa")
    assert benchmark.status() == "ready (Hebart2023_fmri_local.LOC.concepts720)"
    with pytest.raises(ValueError, match="LOC.concepts720: expected a subject with at least 10 neuroids"):
        benchmark.targets  # noqa: B018


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
