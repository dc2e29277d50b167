from pathlib import Path

import fake_laion
import numpy as np
import pandas as pd
import pytest
from brainscore_vision import benchmark_registry, data_registry, load_benchmark, load_dataset, load_stimulus_set
from candidates import Given
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from small_data import respond

from brainscore_granularity.brains import selection
from brainscore_granularity.brains.shown import SelectionLeak
from brainscore_granularity.datasets import laion_fmri
from brainscore_granularity.download import DataMissing

REGIONS = ("V1", "V2", "V4", "IT")
PARTS = {"": "natural", "-ood": "ood"}


def identifier(region, suffix=""):
    return f"Zerbe2026_fmri.{region}{suffix}-rsa"


def by_the_book(region, ids, people=fake_laion.PEOPLE):
    """{person: score of ``respond``} on some images, with numpy, pandas and scipy alone."""
    answers, found = pdist(respond(ids), "correlation"), {}
    for who in people:
        data = load_dataset(f"Zerbe2026_fmri_full_{who}")
        used = (data["region"].values == region) & (data["nc_12rep"].values > 30)
        means = pd.DataFrame(data.values[:, used].astype(float)).groupby(data["stimulus_id"].values).mean().loc[ids]
        found[who] = spearmanr(answers, pdist(means, "correlation"))[0]
    return found


@pytest.mark.parametrize("suffix", PARTS)
@pytest.mark.parametrize("region", REGIONS)
def test_registry_and_what_is_known_without_the_data(region, suffix):
    benchmark = load_benchmark(identifier(region, suffix))
    assert benchmark.identifier in benchmark_registry
    assert (benchmark.region, benchmark.parent, benchmark.visual_degrees) == (region, region, 9.2)
    assert benchmark.bibtex.startswith("@inproceedings{zerbe2026laion")
    assert benchmark.summary.startswith("371" if suffix else "641")


@pytest.mark.parametrize(("region", "suffix"), [("V1", ""), ("V4", "-ood"), ("IT", ""), ("IT", "-ood")])
def test_score_by_the_book(small_data, region, suffix):
    small_data(*fake_laion.ASSEMBLIES)
    benchmark = load_benchmark(identifier(region, suffix))
    score = benchmark(Given(respond))
    expected = by_the_book(region, fake_laion.IDS[PARTS[suffix]])
    assert score.attrs["subject_scores"] == pytest.approx(expected, abs=1e-6)
    assert float(score.attrs["raw"]) == pytest.approx(np.mean(list(expected.values())), abs=1e-6)
    assert score.attrs["ceiling"].attrs["kind"] == "subjects" and score.attrs["n_stimuli"] == 30
    assert set(benchmark.order) == set(fake_laion.IDS[PARTS[suffix]])


def test_images_are_those_of_the_name_at_their_size(small_data):
    small_data(*fake_laion.ASSEMBLIES)
    benchmark, everything = load_benchmark(identifier("V2", "-ood")), load_stimulus_set("Zerbe2026_fmri_stim_full")
    images = {name: Path(everything.get_stimulus(name)).read_bytes() for name in benchmark.order}
    assert {name: benchmark.stimulus_set.get_stimulus(name).read_bytes() for name in images} == images
    shown = benchmark.shown_to(Given(respond, visual_degrees=4.6))
    assert shown.identifier.startswith("Zerbe2026_fmri_stim_full--ood--target4.60--source9.20")


def test_images_that_a_person_did_not_see_are_left_out(small_data, monkeypatch):
    small_data(*fake_laion.ASSEMBLIES)
    whole, ids = load_dataset("Zerbe2026_fmri_full_sub-05"), fake_laion.IDS["natural"]
    rows = np.flatnonzero(whole["stimulus_id"].values != ids[4])
    part = whole.isel(presentation=rows)
    part.attrs.update(whole.attrs)
    monkeypatch.setitem(data_registry, "Zerbe2026_fmri_full_sub-05", lambda: part)
    score = load_benchmark(identifier("V1"))(Given(respond))
    assert score.attrs["n_stimuli"] == 29
    assert score.attrs["subject_scores"] == pytest.approx(by_the_book("V1", ids[:4] + ids[5:]), abs=1e-6)


def test_layers_are_chosen_on_other_images(small_data):
    small_data(*fake_laion.ASSEMBLIES)
    chosen = selection.SELECTIONS["Zerbe2026_fmri"]()
    assert [benchmark.region for benchmark in chosen] == list(REGIONS)
    assert set(chosen[0].order) == set(fake_laion.IDS["selection"])
    model = Given(respond)
    model.selection_shown = {"V1": sorted(frozenset().union(*chosen[0].shows))}
    for suffix in PARTS:
        assert load_benchmark(identifier("V1", suffix))(model).attrs["n_stimuli"] == 30
    model.selection_shown = {"V1": sorted(frozenset().union(*load_benchmark(identifier("V1")).shows))}
    with pytest.raises(SelectionLeak, match="chosen on 30 of the 30"):
        load_benchmark(identifier("V1"))(model)


def test_images_and_responses_that_are_not_here_say_how(small_data, monkeypatch, tmp_path):
    small_data(*fake_laion.ASSEMBLIES)
    benchmark = load_benchmark(identifier("IT"))
    assert benchmark.status() == "downloadable from Brain-Score's store"
    folder = tmp_path / "brainio" / "somewhere"
    folder.mkdir(parents=True)
    monkeypatch.setenv("BRAINIO_HOME", str(tmp_path / "brainio"))
    for who in fake_laion.PEOPLE:
        (folder / f"assy_LAION_fMRI_full_{who}_Assembly.nc").touch()
    assert benchmark.status() == "ready (Zerbe2026_fmri)"
    monkeypatch.setitem(data_registry, "Zerbe2026_fmri_full_sub-03", lambda: 1 / 0)
    with pytest.raises(DataMissing, match="Zerbe2026_fmri_full_sub-03 .responses CC0.*ZeroDivisionError"):
        load_benchmark(identifier("IT")).targets  # noqa: B018
    monkeypatch.setenv(laion_fmri.FOLDER_VARIABLE, str(tmp_path))
    assert benchmark.status() == "needs the images, by agreement: laion-fmri.hebartlab.com/request"
    with pytest.raises(DataMissing, match="the images of LAION-fMRI are not in .*laion-fmri download-stimuli"):
        benchmark.targets  # noqa: B018


def test_an_image_that_was_not_extracted_is_named(small_data, monkeypatch):
    small_data(*fake_laion.ASSEMBLIES)
    whole, lost = load_dataset("Zerbe2026_fmri_full_sub-07"), fake_laion.IDS["ood"][3]
    stimuli = whole.attrs["stimulus_set"]
    few = stimuli[stimuli["stimulus_id"] != lost].reset_index(drop=True)
    few.stimulus_paths, few.identifier = stimuli.stimulus_paths, stimuli.identifier
    part = whole.isel(presentation=np.arange(whole.sizes["presentation"]))
    part.attrs.update({**whole.attrs, "stimulus_set": few})
    monkeypatch.setitem(data_registry, "Zerbe2026_fmri_full_sub-07", lambda: part)
    with pytest.raises(DataMissing, match=f"1 images of Zerbe2026_fmri are not in .*{lost}"):
        load_benchmark(identifier("V1", "-ood")).targets  # noqa: B018


def test_the_owners_data(measured_benchmark):
    """METHODS.md of Brain-Score's own benchmark counts about 1,485 reliable voxels of V4 in all five people."""
    targets = measured_benchmark(identifier("V4")).targets
    assert targets.rdms.shape == (5, 641, 641) and sum(targets.neuroids.values()) == pytest.approx(1485, rel=0.01)
