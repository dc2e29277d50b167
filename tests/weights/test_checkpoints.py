import json
import os
import subprocess

import pytest
import torch

from brainscore_granularity import networks
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.weights.find import find

INFO = {"network": "mini", "classes": 4}


@pytest.fixture
def network():
    return networks.build("mini", 4, seed=3)


def test_round_trip(tmp_path, network):
    saved = checkpoints.save(tmp_path, "net", network.state_dict(), INFO)
    found = checkpoints.read(tmp_path, "net")
    assert found.sha256 == saved.sha256 and saved.short_hash in saved.weights.name
    loaded = found.network()
    assert all(torch.equal(loaded.state_dict()[name], value) for name, value in network.state_dict().items())
    assert not loaded.training


def test_half_precision_is_close_and_half_the_size(tmp_path, network):
    full = checkpoints.save(tmp_path / "full", "net", network.state_dict(), INFO)
    half = checkpoints.save(tmp_path / "half", "net", network.state_dict(), INFO, half=True)
    assert half.weights.stat().st_size < 0.55 * full.weights.stat().st_size
    a, b = full.state_dict()["conv1.weight"], half.state_dict()["conv1.weight"]
    assert b.dtype == torch.float32 and torch.allclose(a, b, rtol=1e-3, atol=1e-5)


def test_the_same_weights_have_the_same_hash(tmp_path, network):
    first = checkpoints.save(tmp_path / "a", "net", network.state_dict(), INFO)
    second = checkpoints.save(tmp_path / "b", "net", network.state_dict(), {**INFO, "note": 1})
    other = checkpoints.save(tmp_path / "c", "net", networks.build("mini", 4, seed=4).state_dict(), INFO)
    assert first.sha256 == second.sha256 != other.sha256


def test_a_new_checkpoint_replaces_the_old_one(tmp_path, network):
    checkpoints.save(tmp_path, "net", network.state_dict(), INFO)
    checkpoints.save(tmp_path, "net_more", network.state_dict(), INFO)
    newer = checkpoints.save(tmp_path, "net", networks.build("mini", 4, seed=4).state_dict(), INFO)
    assert checkpoints.read(tmp_path, "net").sha256 == newer.sha256
    assert sorted(p.name.split("-")[0] for p in tmp_path.glob("*.safetensors")) == ["net", "net_more"]


def test_own_checkpoint_comes_before_the_shipped_one(home, tmp_path, network):
    shipped = checkpoints.save(tmp_path / "weights", "net", network.state_dict(), INFO)
    assert find("net", tmp_path).sha256 == shipped.sha256
    own = checkpoints.save(checkpoints.default_store(), "net", networks.build("mini", 4, 9).state_dict(), INFO)
    assert find("net", tmp_path).sha256 == own.sha256


def test_missing_checkpoint_says_where_and_how(home):
    with pytest.raises(checkpoints.CheckpointError) as error:
        find("granularity_world_own_k2_s9")
    assert str(home / "checkpoints") in str(error.value) and "granularity demo" in str(error.value)


@pytest.mark.parametrize("damage", ["truncate", "flip", "delete"])
def test_damaged_weights_are_refused(tmp_path, network, damage):
    saved = checkpoints.save(tmp_path, "net", network.state_dict(), INFO)
    content = saved.weights.read_bytes()
    if damage == "truncate":
        saved.weights.write_bytes(content[:-100])
    elif damage == "flip":
        saved.weights.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    else:
        saved.weights.unlink()
    assert not saved.is_intact()
    with pytest.raises(checkpoints.CheckpointError, match=str(saved.weights)):
        checkpoints.read(tmp_path, "net").state_dict()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"weights": "x"}'])
def test_damaged_description_is_named(tmp_path, content):
    (tmp_path / "net.json").write_text(content)
    with pytest.raises(checkpoints.CheckpointError, match="net.json is damaged"):
        checkpoints.read(tmp_path, "net")


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, network):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(disk)]
    if os.name != "posix" or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        old = checkpoints.save(disk, "net", network.state_dict(), INFO)
        with pytest.raises(OSError, match="No space left"):
            checkpoints.save(disk, "net", networks.build("mini", 4, seed=4).state_dict(), INFO)
        assert checkpoints.read(disk, "net").sha256 == old.sha256 and old.is_intact()
        assert not list(disk.glob(".*tmp"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_no_pickle_in_a_checkpoint(tmp_path, network):
    saved = checkpoints.save(tmp_path, "net", network.state_dict(), INFO)
    header_length = int.from_bytes(saved.weights.read_bytes()[:8], "little")
    header = json.loads(saved.weights.read_bytes()[8 : 8 + header_length])
    assert set(header) >= {"conv1.weight", "head.bias"}
    assert {p.suffix for p in tmp_path.iterdir()} == {".json", ".safetensors"}


@pytest.mark.parametrize(
    ("identifier", "labels", "train"),
    [
        ("lite0_k8_s2", "--source lite0`", "--labels lite0 --k 8 --seed 2`"),
        ("merged_k8_s2", "--source merged --k 8 --seed 2`", "--labels merged_k8_s2 --seed 2`"),
        ("wordnet_k8_s1", "--source wordnet --k 8 --is-a data.noun`", "--labels wordnet --k 8 --seed 1`"),
        ("untrainedpcs_k2_s1", "--source untrainedpcs --seed 0`", "--labels untrainedpcs --k 2 --seed 1`"),
        ("distilled_s1", "--source distilled`", "--labels distilled --objective regress --label-smoothing 0 --seed 1`"),
    ],
)
def test_the_commands_that_make_a_network_of_each_source(identifier, labels, train):
    of = "--recipe tiny --data IMAGES"
    expected = f"run `granularity labels {of} {labels}, then `granularity train {of} {train}"
    assert checkpoints.how_to_make(f"granularity_tiny_{identifier}") == expected
