import fake_things
import pytest
from brainscore_vision import load_dataset, load_stimulus_set
from plugin_data import assert_responses, assert_stimuli, new_home, registered

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.prepare.things import fmri

PLUGIN = "granularity_things_fmri"
SPLITS = ("train", "test", "concepts720")
VOXELS = {"V1": 4, "V2": 2, "V4": 3, "LOC": 4, "IT": 4}  # of a subject


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """All that the owners' files, here small ones, are prepared into."""
    with new_home(tmp_path_factory) as owner:
        fake_things.write_images(owner / "object_images", fake_things.FMRI_TRAIN + fake_things.FMRI_TEST)
        fake_things.write_fmri(owner / "betas_csv")
        fmri.prepare(owner)
        yield


def test_all_that_can_be_prepared_is_registered():
    assert sorted(registered(PLUGIN)) == sorted(store.identifiers("things-fmri"))
    assert registered(PLUGIN, "stimulus_set_registry") == [f"Hebart2023_fmri_local.{split}" for split in SPLITS]


@pytest.mark.slow
@pytest.mark.parametrize("region", VOXELS)
def test_assemblies(prepared, region):
    """Train images are shown once, test images in every session; concepts720 has one train image of each concept."""
    shown = {
        "train": len(fake_things.FMRI_TRAIN),
        "test": len(fake_things.FMRI_TEST) * fake_things.SESSIONS,
        "concepts720": len({name.rsplit("_", 1)[0] for name in fake_things.FMRI_TRAIN}),
    }
    for split in SPLITS:
        assembly = assert_responses(f"Hebart2023_fmri_local.{region}.{split}", region, {"01", "02", "03"})
        assert assembly.shape == (shown[split], 3 * VOXELS[region], 1)
        assert {"nc_testset", "reliability", "roi"} <= set(assembly.indexes["neuroid"].names)


@pytest.mark.parametrize(("split", "names"), [("train", fake_things.FMRI_TRAIN), ("test", fake_things.FMRI_TEST)])
def test_stimulus_sets(prepared, split, names):
    stimuli = assert_stimuli(f"Hebart2023_fmri_local.{split}", of=f"Hebart2023_fmri_local.LOC.{split}")
    assert sorted(stimuli["stimulus_id"]) == sorted(names)


def test_the_stimuli_of_concepts_are_one_image_each(prepared):
    stimuli = assert_stimuli("Hebart2023_fmri_local.concepts720", of="Hebart2023_fmri_local.IT.concepts720")
    assert stimuli["object_name"].is_unique and set(stimuli["stimulus_id"]) < set(fake_things.FMRI_TRAIN)


@pytest.mark.parametrize("load", [lambda: load_dataset("Hebart2023_fmri_local.LOC.test"),
                                  lambda: load_stimulus_set("Hebart2023_fmri_local.train")])  # fmt: skip
def test_what_is_not_prepared_says_how(home, load):
    with pytest.raises(store.Missing, match="figshare.*granularity data prepare things-fmri --from DIR"):
        load()
