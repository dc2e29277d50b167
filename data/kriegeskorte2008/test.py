import numpy as np
import pytest
from brainscore_vision import load_dataset, load_stimulus_set
from brainscore_vision.benchmark_helpers.cache_contract import assert_stimulus_identifier_is_cacheable
from PIL import Image
from plugin_data import registered
from scipy.stats import spearmanr

from brainscore_granularity.datasets import kriegeskorte2008
from brainscore_granularity.download import DataMissing

SUBJECTS = {"hIT": 4, "mIT": 1, "judgment": 16}


def test_all_that_is_published_is_registered():
    assert registered("kriegeskorte2008") == [f"Kriegeskorte2008.{target}" for target in SUBJECTS]
    assert registered("kriegeskorte2008", "stimulus_set_registry") == ["Kriegeskorte2008"]


def test_stimulus_set(kriegeskorte92):
    stimuli = load_stimulus_set("Kriegeskorte2008")
    assert len(stimuli) == 92 == stimuli["stimulus_id"].nunique()
    counts = {name: int(stimuli[name].sum()) for name in ("animal", "human", "face", "natural")}
    assert counts["animal"] == 48 and counts["human"] == counts["face"] == 24 and counts["natural"] > 48
    assert {Image.open(stimuli.get_stimulus(name)).size for name in stimuli["stimulus_id"]} == {(175, 175)}
    assert_stimulus_identifier_is_cacheable(stimuli.identifier)


@pytest.mark.parametrize("target", SUBJECTS)
def test_rdms(kriegeskorte92, target):
    assembly = load_dataset(f"Kriegeskorte2008.{target}")
    assert assembly.dims == ("subject", "stimulus", "other_stimulus")
    assert assembly.shape == (SUBJECTS[target], 92, 92) and len(set(assembly["subject"].values)) == SUBJECTS[target]
    assert np.allclose(assembly.values, assembly.values.transpose(0, 2, 1)) and np.isfinite(assembly.values).all()
    assert not np.diagonal(assembly.values, axis1=1, axis2=2).any()
    stimuli = assembly.attrs["stimulus_set"]
    assert assembly["stimulus"].values.tolist() == stimuli["stimulus_id"].tolist()
    assert assembly.attrs["identifier"] == f"Kriegeskorte2008.{target}"


def test_man_and_monkey_agree_as_published(kriegeskorte92):
    upper = np.triu_indices(92, 1)
    human, macaque = (
        load_dataset(f"Kriegeskorte2008.{target}").values.mean(axis=0)[upper] for target in ("hIT", "mIT")
    )
    assert spearmanr(human, macaque)[0] == pytest.approx(0.439, abs=5e-4)


@pytest.mark.slow
def test_a_folder_without_the_files_says_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv(kriegeskorte2008.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(DataMissing, match="no 92_behavRDMs.mat.*github.com/rsagroup/rsatoolbox"):
        load_dataset("Kriegeskorte2008.judgment")
