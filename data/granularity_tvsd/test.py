import fake_things
import pytest
from brainscore_vision import load_dataset, load_stimulus_set
from plugin_data import assert_responses, assert_stimuli, new_home, registered

from brainscore_granularity.datasets.prepare import store, tvsd

PLUGIN = "granularity_tvsd"
REGIONS = ("V1", "V4", "IT")
ELECTRODES = {"V1": 2 * 512, "V4": 192 + 256, "IT": 320 + 256}  # of both monkeys


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """All that the owners' files, here small ones, are prepared into."""
    with new_home(tmp_path_factory) as owner:
        fake_things.write_images(owner / "object_images", fake_things.TVSD_TRAIN + fake_things.TVSD_TEST)
        tvsd.prepare(fake_things.write_tvsd(owner))
        yield


def test_all_that_can_be_prepared_is_registered():
    assert sorted(registered(PLUGIN)) == sorted(store.identifiers("tvsd"))
    assert registered(PLUGIN, "stimulus_set_registry") == ["Papale2025_local.train", "Papale2025_local.test"]


@pytest.mark.parametrize("region", REGIONS)
def test_assemblies(prepared, region):
    train = assert_responses(f"Papale2025_local.{region}.train", region, {"monkeyF", "monkeyN"})
    test = assert_responses(f"Papale2025_local.{region}.test", region, {"monkeyF", "monkeyN"})
    assert train.sizes["neuroid"] == test.sizes["neuroid"] == ELECTRODES[region]
    assert train.sizes["presentation"] == len(fake_things.TVSD_TRAIN)
    assert test.sizes["presentation"] == len(fake_things.TVSD_TEST) * fake_things.REPEATS
    assert {"reliability", "SNR", "SNR_max", "oracle"} <= set(test.indexes["neuroid"].names)


def test_stimulus_sets(prepared):
    train = assert_stimuli("Papale2025_local.train", of="Papale2025_local.IT.train")
    test = assert_stimuli("Papale2025_local.test", of="Papale2025_local.V1.test")
    assert sorted(train["stimulus_id"]) == sorted(fake_things.TVSD_TRAIN)
    assert sorted(test["stimulus_id"]) == sorted(fake_things.TVSD_TEST)


@pytest.mark.slow
@pytest.mark.parametrize("load", [lambda: load_dataset("Papale2025_local.V4.test"),
                                  lambda: load_stimulus_set("Papale2025_local.test")])  # fmt: skip
def test_what_is_not_prepared_says_how(home, load):
    with pytest.raises(store.Missing, match="gin.g-node.org.*granularity data prepare tvsd --from DIR"):
        load()
