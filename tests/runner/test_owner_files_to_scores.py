"""From the owner's files to a score: what `granularity data prepare nsd` writes is what the benchmarks read."""

import fake_nsd
import numpy as np
import pytest
from brainscore_vision import load_benchmark, load_model
from brainscore_vision.benchmark_helpers.cache_contract import assert_stimulus_identifier_is_cacheable
from candidates import Given

from brainscore_granularity.brains import catalogue, commitment, selection
from brainscore_granularity.datasets.prepare.nsd import build as nsd
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.weights.find import checkpoint_of

MODEL = "granularity_world_own_k2_s1"


@pytest.fixture(scope="module", autouse=True)
def prepared(tmp_path_factory):
    owner = tmp_path_factory.mktemp("owner")
    fake_nsd.write(owner)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRAINSCORE_GRANULARITY_HOME", str(tmp_path_factory.mktemp("home")))
        nsd.prepare(owner, regions=("V1", "early"), train_images=40)
        selection.benchmarks.cache_clear()
        yield
    selection.benchmarks.cache_clear()


def planted(ids):
    """What the voxels respond to, as in fake_nsd."""
    return np.array([np.random.default_rng(int(i.removeprefix("nsd_"))).normal(size=6) for i in ids])


def tuned(ids):
    """A population with tunings of its own: correlation distances need more than a few dimensions."""
    return planted(ids) @ np.random.default_rng(0).normal(size=(6, 300))


@pytest.mark.slow
def test_the_planted_geometry_is_found_in_both_subjects():
    benchmark = load_benchmark("Allen2022_fmri.early-rsa")
    score = benchmark(Given(tuned))
    assert (
        score.attrs["n_stimuli"] == fake_nsd.N_SHARED_THRICE
        and score.attrs["data"] == "Allen2022_fmri_local.early.test"
    )
    assert score.item() > 0.8 and min(score.attrs["subject_scores"].values()) > 0.6
    low, high = benchmark(
        Given(lambda ids: tuned(sorted(ids)[::-1])[np.random.default_rng(1).permutation(len(ids))])
    ).attrs["interval"]
    assert low < 0 < high
    assert_stimulus_identifier_is_cacheable(benchmark.stimulus_set.identifier)
    assert catalogue.benchmark_state("Allen2022_fmri.early-rsa").startswith("ready")


@pytest.mark.slow
def test_layers_are_chosen_on_each_subjects_own_images():
    shipped = checkpoint_of(MODEL)
    checkpoints.save(checkpoints.default_store(), MODEL, shipped.state_dict(), shipped.info)
    choice, _ = commitment.recommit(MODEL, ["Allen2022_fmri"])
    assert choice["selection"]["V1"] == "Allen2022_fmri" and set(choice["subjects"]["V1"]) == {"subj01", "subj02"}
    assert len(choice["stimuli"]["Allen2022_fmri"]) == 80
    score = load_benchmark("Allen2022_fmri.early-rsa")(load_model(MODEL))  # other images: not refused
    assert score.attrs["layer"] == choice["layers"]["V1"]
