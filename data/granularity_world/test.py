import numpy as np
import pytest
from brainscore_vision import load_dataset, load_stimulus_set

NEURAL = ["World.V1", "World.IT", "World_fine.IT", "World_null.IT"]
SELECTION = [f"World_selection.{region}" for region in ("V1", "V2", "V4", "IT")]


@pytest.mark.parametrize(("identifier", "n"), [("World", 256), ("World_selection", 192)])
def test_stimulus_set(identifier, n):
    stimuli = load_stimulus_set(identifier)
    assert len(stimuli) == n == stimuli["stimulus_id"].nunique()
    assert stimuli.identifier.startswith(f"{identifier}--")
    assert all(stimuli.get_stimulus(i).is_file() for i in stimuli["stimulus_id"])


@pytest.mark.parametrize("identifier", NEURAL + SELECTION)
def test_assembly(identifier):
    assembly = load_dataset(identifier)
    stimuli = assembly.stimulus_set
    assert assembly.dims == ("presentation", "neuroid")
    assert set(assembly["stimulus_id"].values) == set(stimuli["stimulus_id"])
    assert np.unique(assembly["region"]).tolist() == [identifier.partition(".")[2]]
    assert len(np.unique(assembly["subject"])) == 4
    assert np.isfinite(assembly.values).all() and assembly.attrs["simulated"]


@pytest.mark.parametrize("identifier", ["World.triplet", "World_fine.triplet", "World_null.triplet"])
def test_choices(identifier):
    choices = load_dataset(identifier)
    assert len(choices) == 4000 and np.array_equal(choices.values, choices["image_3"].values)
    images = np.stack([choices[f"image_{i}"].values for i in (1, 2, 3)])
    assert all(len(set(triplet)) == 3 for triplet in images.T)
