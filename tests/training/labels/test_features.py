import json
import signal
import time

import numpy as np
import pytest
import torch
from brainscore_granularity.training.labels import encoders as label_encoders
from brainscore_granularity.training.labels import features as label_features
from brainscore_granularity.training.labels import sources as label_sources
from brainscore_granularity.training.labels.features import SpoolError, spool

from brainscore_granularity import networks
from brainscore_granularity.weights import checkpoints

RNG = np.random.default_rng(0)
IDENTIFIER = "granularity_tiny_native_s1"


@pytest.fixture
def store(tmp_path):
    """A store with a small network of random weights, standing for a trained one."""
    network = networks.build("tiny", 10, seed=1)
    checkpoints.save(tmp_path / "store", IDENTIFIER, network.state_dict(), {"network": "tiny", "classes": 10})
    return tmp_path / "store"


def noise(n):
    """Images, their names and their fingerprint."""
    return RNG.integers(0, 256, (n, 64, 64, 3), np.uint8), [f"a/{i}" for i in range(n)], "noise"


def test_the_blocks_do_not_change_the_features(store, tmp_path, monkeypatch):
    pixels, names, data = noise(50)
    encoder = label_encoders.own(IDENTIFIER, store)
    whole = np.concatenate(list(spool(encoder, pixels, names, data, tmp_path / "whole").blocks()))
    monkeypatch.setattr(label_features, "BLOCK", 16)
    blocks = list(spool(encoder, pixels, names, data, tmp_path / "blocks").blocks())
    assert [len(block) for block in blocks] == [16, 16, 16, 2]
    assert np.allclose(np.concatenate(blocks), whole, atol=2e-3)
    assert np.allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-12) and whole.dtype == np.float64


def test_a_shipped_network_gives_features_without_having_been_trained_here(tmp_path, monkeypatch):
    monkeypatch.setenv("BRAINSCORE_GRANULARITY_HOME", str(tmp_path / "empty"))
    encoder = label_encoders.own("learningrule_backprop_s1")
    assert encoder.name == "learningrule_backprop_s1.relu4" and encoder.image_size == 32
    with pytest.raises(checkpoints.CheckpointError, match="no checkpoint of granularity_tiny_own_k3_s1"):
        label_encoders.own("granularity_tiny_own_k3_s1")


KILLED = """
import sys, time
from pathlib import Path
import numpy as np
from brainscore_granularity.training.labels import encoders as label_encoders
from brainscore_granularity.training.labels import features as label_features
label_features.BLOCK = 16
encoder = label_encoders.own({identifier!r}, Path({store!r}))
encoder.network.register_forward_hook(lambda *_: time.sleep(0.05))
pixels = np.load({pixels!r}, mmap_mode="r")
label_features.spool(encoder, pixels, [f"a/{{i}}" for i in range(len(pixels))], "noise", Path({folder!r}))
"""


def test_a_killed_extraction_goes_on_to_the_same_features(forked, store, tmp_path, monkeypatch):
    pixels, names, data = noise(400)
    np.save(tmp_path / "pixels.npy", pixels)
    folder, record = tmp_path / "killed", tmp_path / "killed" / "spool.json"
    arguments = dict(identifier=IDENTIFIER, store=str(store), pixels=str(tmp_path / "pixels.npy"), folder=str(folder))
    process = forked.start(KILLED.format(**arguments))
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if record.exists() and len(json.loads(record.read_text())["checksums"]) >= 3:
            break
        time.sleep(0.01)
    assert process.kill() == -signal.SIGKILL, process.stderr
    before = json.loads(record.read_text())["checksums"]
    assert 3 <= len(before) < 25

    monkeypatch.setattr(label_features, "BLOCK", 16)
    encoder, asked = label_encoders.own(IDENTIFIER, store), []
    encoder.network.register_forward_hook(lambda module, inputs, output: asked.append(len(output)))
    resumed = spool(encoder, pixels, names, data, folder)
    assert sum(asked) == 400 - 16 * len(before) + 1  # one image is asked for its width
    spool(label_encoders.own(IDENTIFIER, store), pixels, names, data, tmp_path / "straight")
    assert (folder / "features.bin").read_bytes() == (tmp_path / "straight" / "features.bin").read_bytes()
    assert len(list(resumed.blocks())) == 25


def test_finished_features_are_not_computed_again_and_lost_rows_are(store, tmp_path, monkeypatch):
    monkeypatch.setattr(label_features, "BLOCK", 16)
    pixels, names, data = noise(40)
    encoder, asked = label_encoders.own(IDENTIFIER, store), []
    encoder.network.register_forward_hook(lambda module, inputs, output: asked.append(len(output)))
    spool(encoder, pixels, names, data, tmp_path / "f")
    content = (tmp_path / "f" / "features.bin").read_bytes()
    said = []
    asked.clear()
    spool(encoder, pixels, names, data, tmp_path / "f", say=said.append)
    assert asked == [1] and "0.0 MB of it to write" in said[0]
    (tmp_path / "f" / "features.bin").write_bytes(content[: 20 * 96 * 2])  # the second block is torn
    asked.clear()
    spool(encoder, pixels, names, data, tmp_path / "f")
    assert sum(asked) == 1 + 24 and (tmp_path / "f" / "features.bin").read_bytes() == content


def test_damaged_features_are_found_before_they_become_labels(store, tmp_path):
    pixels, names, data = noise(30)
    stored = spool(label_encoders.own(IDENTIFIER, store), pixels, names, data, tmp_path / "f")
    content = bytearray((tmp_path / "f" / "features.bin").read_bytes())
    content[777] ^= 1
    (tmp_path / "f" / "features.bin").write_bytes(content)
    with pytest.raises(SpoolError, match="damaged at images 0 to 29: checksum .* Delete .* and run again"):
        label_sources.from_features(stored)
    (tmp_path / "f" / "spool.json").write_text("{")
    with pytest.raises(SpoolError, match="spool.json is damaged"):
        spool(label_encoders.own(IDENTIFIER, store), pixels, names, data, tmp_path / "f")


def test_features_of_other_images_or_another_network_are_refused(store, tmp_path):
    pixels, names, data = noise(8)
    encoder = label_encoders.own(IDENTIFIER, store)
    spool(encoder, pixels, names, data, tmp_path / "f")
    content = (tmp_path / "f" / "features.bin").read_bytes()
    other = networks.build("tiny", 10, seed=2)
    checkpoints.save(store, "other", other.state_dict(), {"network": "tiny", "classes": 10})
    checkpoints.save(store, IDENTIFIER, other.state_dict(), {"network": "tiny", "classes": 10})
    for arguments, message in [
        (
            (label_encoders.own("other", store), pixels, names, data),
            "encoder is 'granularity_tiny_native_s1.relu6' there",
        ),
        ((label_encoders.own(IDENTIFIER, store), pixels, names, data), "weights is"),
        ((encoder, pixels, names, "new"), "data is 'noise' there and 'new' here"),
        ((encoder, pixels, [*names[:-1], "b"], data), "names is"),
    ]:
        with pytest.raises(SpoolError, match=f"holds features of another run: {message}.*[\\s\\S]*Nothing was overwr"):
            spool(*arguments, tmp_path / "f")
    with pytest.raises(SpoolError, match="dtype is 'float16' there and 'float32' here"):
        spool(encoder, pixels, names, data, tmp_path / "f", precision="single")
    assert (tmp_path / "f" / "features.bin").read_bytes() == content


def test_useless_features_and_arguments_are_errors(store, tmp_path):
    pixels, names, data = noise(4)
    encoder = label_encoders.own(IDENTIFIER, store)
    with pytest.raises(ValueError, match="unknown precision 'double'; known: half, single"):
        spool(encoder, pixels, names, data, tmp_path / "f", precision="double")
    with pytest.raises(ValueError, match="one name for each of 4 images, got 3"):
        spool(encoder, pixels, names[:3], data, tmp_path / "f")
    torch.nn.init.zeros_(encoder.network.network.bn6.weight)
    with pytest.raises(ValueError, match=r"features that are all zero, NaN or infinite \(first: a/0\)"):
        spool(encoder, pixels, names, data, tmp_path / "f")
    too_many = np.broadcast_to(pixels[:1], (10**12, 64, 64, 3))

    class Names(list):
        def __len__(self):
            return 10**12

    with pytest.raises(OSError, match=r"the features need 192000.0 GB in .* are free; choose another disk"):
        spool(label_encoders.own(IDENTIFIER, store), too_many, Names(names), data, tmp_path / "g")


def test_images_of_another_size_are_resized(store):
    encoder = label_encoders.own(IDENTIFIER, store)
    flat = np.full((1, 64, 64, 3), 90, np.uint8)
    large = np.full((1, 100, 100, 3), 90, np.uint8)
    device = torch.device("cpu")
    assert np.allclose(encoder(flat, device), encoder(large, device), atol=1e-5)
