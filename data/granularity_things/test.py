import shutil

import fake_things
import numpy as np
import pytest
from brainscore_vision import load_dataset, load_stimulus_set
from plugin_data import assert_responses, assert_stimuli, registered

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.prepare.things import concepts

PLUGIN = "granularity_things"
SPOSE, TRIPLET = "Hebart2023_local.spose", "Hebart2023_local.triplet"


@pytest.fixture
def prepared(home, tmp_path):
    """All that the owners' files, here small ones, are prepared into."""
    fake_things.write_things(tmp_path / "owner")
    concepts.prepare(tmp_path / "owner")


def test_all_that_can_be_prepared_is_registered():
    assert registered(PLUGIN) == list(store.identifiers("things")) == [SPOSE, TRIPLET]
    names = ["Hebart2023_local.images", "Hebart2023_local.concepts"]
    assert registered(PLUGIN, "stimulus_set_registry") == names


def test_embedding(prepared):
    assembly = assert_responses(SPOSE, "behavior", {"all"})
    stimuli = assert_stimuli("Hebart2023_local.images", of=SPOSE)
    assert assembly.shape == (len(stimuli), 66, 1) and len(stimuli) > len(fake_things.CONCEPTS)
    assert list(dict.fromkeys(stimuli["concept"])) == fake_things.CONCEPTS


def test_choices(prepared):
    """Brain-Score's form: a row a triplet, the value and the third image being the odd one; one image a concept."""
    choices = load_dataset(TRIPLET)
    images = np.stack([choices[f"image_{i}"].values for i in (1, 2, 3)], axis=1)
    assert choices.dims == ("presentation",) and np.array_equal(images, fake_things.choices())
    assert np.array_equal(choices.values, images[:, 2]) and all(len(set(row)) == 3 for row in images)
    stimuli = assert_stimuli("Hebart2023_local.concepts", of=TRIPLET)
    assert stimuli["concept"].tolist() == fake_things.CONCEPTS and set(images.ravel()) <= set(stimuli["stimulus_id"])


@pytest.mark.parametrize("load", [lambda: load_dataset(SPOSE), lambda: load_dataset(TRIPLET),
                                  lambda: load_stimulus_set("Hebart2023_local.concepts")])  # fmt: skip
def test_what_is_not_prepared_says_how(home, load):
    with pytest.raises(store.Missing, match="osf.io/jum2f.*granularity data prepare things --from DIR"):
        load()


@pytest.mark.slow
def test_the_owners_embedding(real_data, home, tmp_path):
    """All 1,854 concepts in the owners' order, with the real embedding; their images are grey squares."""
    source = real_data / "things_subset"
    if not source.is_dir():
        pytest.skip(f"no things_subset in {real_data}")
    for name in ("spose_embedding_66d_sorted.txt", "unique_id.txt"):
        shutil.copy(source / name, tmp_path)
    names = (source / "unique_id.txt").read_text().split()
    fake_things.write_images(tmp_path / "object_images", [f"{name}_01b" for name in names])
    assert concepts.prepare(tmp_path) == [SPOSE]
    assembly = load_dataset(SPOSE)
    assert assembly["concept"].values.tolist() == names and len(names) == 1854
    owners = np.loadtxt(source / "spose_embedding_66d_sorted.txt")
    assert np.allclose(assembly.values[:, :, 0], owners, atol=1e-6) and owners.shape == (1854, 66)
