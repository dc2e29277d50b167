import hashlib
import shutil
import sys

import numpy as np
import pytest
from brainscore_vision import load_dataset, load_stimulus_set
from brainscore_vision.benchmark_helpers.cache_contract import assert_stimulus_identifier_is_cacheable
from PIL import Image
from plugin_data import registered
from scipy.stats import spearmanr

from brainscore_granularity.datasets import cichy as cichy_data
from brainscore_granularity.download import DataMissing

N = {"Cichy2014": 92, "Cichy2016": 118}
TARGETS = ["fmri.EVC", "fmri.IT", "meg.early", "meg.late"]
IDENTIFIERS = [f"{data}_{target}" for data in N for target in TARGETS]
# of the fMRI RDMs as the repository sorts them (rearranged_fmri_92.mat and _118.mat): float64, row by row
SORTED_FMRI = {
    "Cichy2014_fmri.EVC": "0d3d55a5eea05ccac326e85d1ed53a0d0cd13f659f90b5c57a853d76c90659ca",
    "Cichy2014_fmri.IT": "9810a1b2d7d0eb534ecc34df49bb75a418b747268c6b61e5108ee9f36159e06b",
    "Cichy2016_fmri.EVC": "77838280c81effb7506b1777fbe3f5196c4230b5217466187f2f1cfbf7ea11b2",
    "Cichy2016_fmri.IT": "f48f6deeefbac5dd475ce2cfd02dbc680b26feba5738388fa6ab75fa54249584",
}


def test_all_that_is_published_is_registered():
    assert registered("cichy") == IDENTIFIERS
    assert registered("cichy", "stimulus_set_registry") == list(N)


@pytest.mark.parametrize("data", N)
def test_stimulus_set(cichy, data):
    stimuli = load_stimulus_set(data)
    assert len(stimuli) == N[data] == stimuli["stimulus_id"].nunique()
    assert set(stimuli["category"]) == set(cichy_data.CATEGORIES[data])
    side = {"Cichy2014": 175, "Cichy2016": 300}[data]
    assert {Image.open(stimuli.get_stimulus(name)).size for name in stimuli["stimulus_id"]} == {(side, side)}
    assert_stimulus_identifier_is_cacheable(stimuli.identifier)
    first = stimuli["stimulus_id"].iloc[0]
    (file,) = cichy.glob(f"CategorisedData/{N[data]}images/*/image_{'01' if data == 'Cichy2014' else '001'}.jpg")
    assert first.endswith("_001") and np.array_equal(Image.open(stimuli.get_stimulus(first)), Image.open(file))


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_rdms(cichy, identifier):
    assembly, n = load_dataset(identifier), N[identifier.partition("_")[0]]
    assert assembly.dims == ("subject", "stimulus", "other_stimulus")
    assert assembly.shape == (15, n, n) and len(set(assembly["subject"].values)) == 15
    assert np.allclose(assembly.values, assembly.values.transpose(0, 2, 1)) and np.isfinite(assembly.values).all()
    assert not np.diagonal(assembly.values, axis1=1, axis2=2).any()
    assert assembly["stimulus"].values.tolist() == assembly.attrs["stimulus_set"]["stimulus_id"].tolist()
    assert assembly.attrs["identifier"] == identifier


@pytest.mark.parametrize("identifier", SORTED_FMRI)
def test_the_order_of_the_sorted_rdms_is_that_of_the_repository(cichy, identifier):
    """The repository sorts fMRI as it sorts MEG, and holds fMRI in both orders: one becomes the other exactly."""
    rows, data = cichy_data.sorted_rows(identifier.partition("_")[0]), load_dataset(identifier).values
    arranged = np.ascontiguousarray(data[:, rows[:, None], rows], "<f8")
    assert hashlib.sha256(arranged.tobytes()).hexdigest() == SORTED_FMRI[identifier]
    assert np.array_equal(cichy_data.by_number(arranged, identifier.partition("_")[0]), data)


@pytest.mark.parametrize(("data", "fmri", "meg"), [
    ("Cichy2014", "EVC", "early"), ("Cichy2014", "IT", "late"),
    ("Cichy2016", "EVC", "early"), ("Cichy2016", "EVC", "late"),  # its fMRI of IT is too noisy: lower ceiling .036
])  # fmt: skip
def test_meg_and_fmri_agree_in_this_order_and_in_no_other(cichy, data, fmri, meg):
    """Against the rows as they are sorted, sorted backwards or twice, off by one, and shuffled."""
    upper, n = np.triu_indices(N[data], 1), N[data]
    one, two = (load_dataset(f"{data}_{name}").values.mean(axis=0) for name in (f"fmri.{fmri}", f"meg.{meg}"))

    def agreement(rows):
        return spearmanr(one[upper], two[rows[:, None], rows][upper])[0]

    rows, rng = cichy_data.sorted_rows(data), np.random.default_rng(0)
    wrong = [rows, np.argsort(rows), rows[rows], np.arange(n)[::-1], np.roll(np.arange(n), 1)]
    wrong += [rng.permutation(n) for _ in range(100)]
    assert agreement(np.arange(n)) > 1.5 * max(map(agreement, wrong))


def test_the_92_show_the_objects_of_kriegeskorte_in_the_same_order(cichy, kriegeskorte92):
    """Each object, where it is not white, is nearest to its namesake on grey."""
    ours, theirs = (
        np.stack(
            [np.asarray(Image.open(stimuli.get_stimulus(name)), float)[::4, ::4] for name in stimuli["stimulus_id"]]
        )
        for stimuli in (load_stimulus_set("Cichy2014"), load_stimulus_set("Kriegeskorte2008"))
    )
    nearest = []
    for image in ours:
        shown = (image < 240).any(axis=-1)
        nearest.append(int(np.abs(theirs[:, shown] - image[shown]).mean(axis=(1, 2)).argmin()))
    assert nearest == list(range(92))
    stimuli = load_stimulus_set("Cichy2014")
    assert stimuli["picture"].tolist() == load_stimulus_set("Kriegeskorte2008")["picture"].tolist()
    assert "picture" not in load_stimulus_set("Cichy2016")


@pytest.mark.parametrize(("identifier", "other", "known"), [
    ("Cichy2014_fmri.IT", "Kriegeskorte2008.hIT", 0.557), ("Cichy2014_fmri.IT", "Kriegeskorte2008.mIT", 0.486),
])  # fmt: skip
def test_it_agrees_with_the_other_data_on_these_objects_as_known(cichy, kriegeskorte92, identifier, other, known):
    upper = np.triu_indices(92, 1)
    one, two = (load_dataset(name).values.mean(axis=0)[upper] for name in (identifier, other))
    assert spearmanr(one, two)[0] == pytest.approx(known, abs=5e-4)


def test_a_folder_without_the_files_says_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv(cichy_data.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(DataMissing, match="no rearranged_meg_92.mat.*dnn-hvs/Investigate-RDMs. No licence is stated"):
        load_dataset("Cichy2014_meg.late")


def test_an_image_that_was_moved_to_another_category_is_refused(cichy, tmp_path, monkeypatch):
    """Its place in the MEG RDMs would be another."""
    for name in cichy_data.FILES["Cichy2014"].files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(cichy / name, tmp_path / name)
    one, two = sorted((tmp_path / "CategorisedData/92images").glob("[12]/*.jpg"))[:2]
    one.rename(two)
    monkeypatch.setenv(cichy_data.FOLDER_VARIABLE, str(tmp_path))
    cichy_data.stimulus_set.cache_clear()
    with pytest.raises(DataMissing, match="there is no|expected SHA-256"):
        load_dataset("Cichy2014_meg.late")
    cichy_data.stimulus_set.cache_clear()


def test_fmri_without_h5py_says_how_to_install_it(cichy, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match="target_fmri_92.mat .* needs h5py: pip install h5py"):
        load_dataset("Cichy2014_fmri.IT")
    assert load_dataset("Cichy2014_meg.late").shape == (15, 92, 92)
