import fake_nsd_synthetic
import pytest
from brainscore_vision import load_dataset, load_stimulus_set
from plugin_data import assert_responses, assert_stimuli, new_home, registered

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.prepare.nsd import synthetic

PLUGIN = "granularity_nsd_synthetic"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """All that the owners' files, here small ones of two subjects, are prepared into."""
    with new_home(tmp_path_factory) as owner:
        fake_nsd_synthetic.write(owner)
        synthetic.prepare(owner)
        yield


def test_all_that_can_be_prepared_is_registered():
    assert registered(PLUGIN) == list(store.identifiers("nsd-synthetic"))
    assert registered(PLUGIN, "stimulus_set_registry") == ["Allen2022_fmri_synthetic_local.test"]


@pytest.mark.parametrize("region", ["early", "ventral"])
def test_assembly(prepared, region):
    """220 of the 284 images: the other 64 are colour patches."""
    assembly = assert_responses(f"Allen2022_fmri_synthetic_local.{region}.test", region, {"subj01", "subj02"})
    assert assembly.sizes["presentation"] == 220 and assembly["image_number"].values.tolist() == [*range(1, 221)]
    assert {"nc_testset", "reliability"} <= set(assembly.indexes["neuroid"].names)


def test_stimulus_set(prepared):
    name = "Allen2022_fmri_synthetic_local"
    stimuli = assert_stimuli(f"{name}.test", of=f"{name}.ventral.test")
    assert len(stimuli) == 220 and set(stimuli["class"]) == set(fake_nsd_synthetic.CLASSES)


@pytest.mark.parametrize("load", [lambda: load_dataset("Allen2022_fmri_synthetic_local.early.test"),
                                  lambda: load_stimulus_set("Allen2022_fmri_synthetic_local.test")])  # fmt: skip
def test_what_is_not_prepared_says_how(home, load):
    with pytest.raises(store.Missing, match="NSD terms.*granularity data prepare nsd-synthetic --from DIR"):
        load()
