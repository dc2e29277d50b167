"""What the tests of all data plugins on local builds ask."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from brainscore_vision import load_dataset, load_stimulus_set
from brainscore_vision.benchmark_helpers.cache_contract import assert_stimulus_identifier_is_cacheable

from brainscore_granularity import plugins


@contextmanager
def new_home(tmp_path_factory):
    """An empty folder, for an owner's files, while another one is the home that they are prepared into."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRAINSCORE_GRANULARITY_HOME", str(tmp_path_factory.mktemp("home")))
        yield tmp_path_factory.mktemp("owner")


def registered(folder: str, registry: str = "data_registry") -> list[str]:
    """Identifiers that one of our data plugins registers, in its order."""
    return [name for name, where in plugins.registrations("data", registry).items() if where == folder]


def assert_responses(identifier: str, region: str, subjects: set[str]):
    """The assembly of an identifier, in Brain-Score's form: whole, named, of one region, with images that are there."""
    assembly = load_dataset(identifier)
    stimuli = assembly.attrs["stimulus_set"]
    assert assembly.dims == ("presentation", "neuroid", "time_bin") and assembly.sizes["time_bin"] == 1
    assert assembly.attrs["identifier"] == identifier and np.isfinite(assembly.values).all()
    assert set(assembly["region"].values) == {region} and set(assembly["subject"].values) == subjects
    assert set(assembly["stimulus_id"].values) == set(stimuli["stimulus_id"])
    assert len(set(assembly["neuroid_id"].values)) == assembly.sizes["neuroid"]
    return assembly


def assert_stimuli(identifier: str, of: str):
    """The stimulus set of an identifier: that of an assembly, each stimulus once, as a file, under a safe name."""
    stimuli, expected = load_stimulus_set(identifier), load_dataset(of).attrs["stimulus_set"]
    assert stimuli.identifier == expected.identifier and stimuli["stimulus_id"].is_unique
    assert stimuli["stimulus_id"].tolist() == expected["stimulus_id"].tolist()
    assert all(Path(stimuli.get_stimulus(name)).is_file() for name in stimuli["stimulus_id"])
    assert_stimulus_identifier_is_cacheable(stimuli.identifier)
    return stimuli
