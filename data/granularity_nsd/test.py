import fake_nsd
import pytest
from brainscore_vision import load_dataset, load_stimulus_set
from plugin_data import assert_responses, assert_stimuli, new_home, registered

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.prepare.nsd import build

PLUGIN = "granularity_nsd"
N_TRAIN = 40
SUBJECTS = {"V1": {"subj01", "subj02"}, "FFA": {"subj01", "subj02"}, "PPA": {"subj01"}}  # subject 2 here has no PPA


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Some regions of the owner's files, here small ones of two subjects."""
    with new_home(tmp_path_factory) as owner:
        fake_nsd.write(owner)
        build.prepare(owner, regions=tuple(SUBJECTS), train_images=N_TRAIN)
        yield


def test_all_that_can_be_prepared_is_registered():
    """Test images were shown to all eight subjects, train images to one each."""
    assert registered(PLUGIN) == list(store.identifiers("nsd"))
    stimuli = ["test", *(f"train.subj{s:02d}" for s in range(1, 9))]
    assert registered(PLUGIN, "stimulus_set_registry") == [f"Allen2022_fmri_local.{part}" for part in stimuli]


@pytest.mark.slow
@pytest.mark.parametrize("region", SUBJECTS)
def test_assemblies(prepared, region):
    test = assert_responses(f"Allen2022_fmri_local.{region}.test", region, SUBJECTS[region])
    assert test.sizes["presentation"] == fake_nsd.N_SHARED_THRICE
    for subject in sorted(SUBJECTS[region]):
        train = assert_responses(f"Allen2022_fmri_local.{region}.train.{subject}", region, {subject})
        assert train.sizes["presentation"] == N_TRAIN
        assert not set(train["nsd_id"].values) & set(test["nsd_id"].values)
        assert {"nc_testset", "voxel_x", "voxel_y", "voxel_z"} <= set(train.indexes["neuroid"].names)


def test_stimulus_sets(prepared):
    assert len(assert_stimuli("Allen2022_fmri_local.test", of="Allen2022_fmri_local.PPA.test")) == 100
    shown = [
        assert_stimuli(f"Allen2022_fmri_local.train.{subject}", of=f"Allen2022_fmri_local.V1.train.{subject}")
        for subject in ("subj01", "subj02")
    ]
    assert not set(shown[0]["stimulus_id"]) & set(shown[1]["stimulus_id"])


@pytest.mark.parametrize("identifier", ["V1.train.subj03", "PPA.train.subj02", "IT.test"])
def test_what_was_not_prepared_says_how(prepared, identifier):
    with pytest.raises(store.Missing, match=f"{identifier} is missing.*granularity data prepare nsd --from DIR"):
        load_dataset(f"Allen2022_fmri_local.{identifier}")


def test_stimuli_of_a_subject_that_was_not_prepared_say_how(prepared):
    with pytest.raises(store.Missing, match="naturalscenesdataset.org.*granularity data prepare nsd --from DIR"):
        load_stimulus_set("Allen2022_fmri_local.train.subj08")
