"""RDMs of all layers from one pass: exact, small in memory, clear about trouble."""

import subprocess
import sys

import numpy as np
import pytest

from brainscore_granularity import rsa
from brainscore_granularity.rsa import distances
from brainscore_granularity.rsa import spool as streaming

torch = pytest.importorskip("torch")


class Net(torch.nn.Module):
    """A branch, an in-place ReLU that is used twice, and a head."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.relu = torch.nn.ReLU(inplace=True)
        self.skip = torch.nn.Conv2d(8, 8, 1)
        self.head = torch.nn.Linear(8 * 64, 5)

    def forward(self, x):
        x = self.relu(self.conv(x))
        x = self.relu(self.skip(x) + x)
        return self.head(x.flatten(1))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture
def images():
    return torch.randn(23, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def expected_features(net, images):
    """Written out by hand, without hooks."""
    with torch.no_grad():
        conv = net.conv(images)
        first = conv.clamp(min=0)
        skip = net.skip(first)
        last = (skip + first).clamp(min=0)
        return {"conv": conv, "skip": skip, "relu": last, "head": net.head(last.flatten(1))}


@pytest.mark.parametrize("distance", ["correlation", "euclidean", "cosine"])
@pytest.mark.parametrize("size", [1, 7, 23])
def test_layers_of_one_pass_equal_the_features_held_whole(net, images, distance, size):
    streamed = streaming.layer_rdms(net, images.split(size), distance=distance)
    expected = expected_features(net, images)
    assert list(streamed) == ["conv", "relu", "skip", "head"]
    for layer, features in expected.items():
        np.testing.assert_allclose(streamed[layer], rsa.rdm(features, distance), atol=5e-6)


def test_layers_are_chosen_by_name_and_hooks_are_removed(net, images):
    assert list(streaming.layer_rdms(net, [images], layers=["head", "conv"])) == ["head", "conv"]
    assert not net.conv._forward_hooks
    with pytest.raises(ValueError, match=r"\['conv9'\]; valid: conv, relu, skip, head"):
        streaming.layer_rdms(net, [images], layers=["conv9"])


def test_trouble_names_layer_and_image_and_leaves_no_files(net, images, tmp_path):
    images[4] = float("nan")
    with pytest.raises(rsa.DegenerateFeatures, match="layer 'skip': image 4"):
        streaming.layer_rdms(net, images.split(5), layers=["skip"], folder=tmp_path)
    assert not list(tmp_path.iterdir()) and not net.skip._forward_hooks


def test_training_mode_is_refused(net, images):
    with pytest.raises(ValueError, match="training mode"):
        streaming.layer_rdms(net.train(), [images])
    with pytest.raises(ValueError, match="at least 2 images"):
        streaming.layer_rdms(net.eval(), [])


def test_a_layer_of_varying_width_is_refused():
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1)).eval()
    with pytest.raises(ValueError, match="give all images one size"):
        streaming.layer_rdms(model, [torch.randn(2, 3, 4, 4), torch.randn(2, 3, 5, 5)])


def test_truncated_file_is_an_error(tmp_path):
    with streaming.Spool(tmp_path / "conv1") as spool:
        spool.write(0, np.ones((4, 100), np.float32))
        with open(spool.path, "r+b") as file:
            file.truncate(1000)
        with pytest.raises(OSError, match="ended at image 2"):
            spool.read(0, 100)
    assert not spool.path.exists()


@pytest.mark.parametrize("distance", ["correlation", "euclidean", "cosine"])
def test_device_path_agrees_with_float64(distance):
    """The path for tensors on a GPU, run on the CPU, and on a GPU where there is one."""
    x = torch.randn(9, 40, 40, generator=torch.Generator().manual_seed(2)).relu() + 0.5
    for device in ["cpu"] + ["cuda"] * torch.cuda.is_available():
        ours = distances.device_rdm(x.to(device), distance, block=300)
        np.testing.assert_allclose(ours, rsa.rdm(x.double(), distance), atol=1e-5)
    x[2] = 1.0
    if distance == "correlation":
        with pytest.raises(rsa.DegenerateFeatures, match="image 2"):
            distances.device_rdm(x, distance)


MEMORY = """
import re, torch
from brainscore_granularity.rsa import gram
from brainscore_granularity.rsa.spool import layer_rdms

def peak():  # ru_maxrss would count the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])

gram.onednn()
model = torch.nn.Sequential(
    torch.nn.Conv2d(3, 32, 3), torch.nn.ReLU(), torch.nn.Conv2d(32, 32, 3), torch.nn.ReLU()).eval()
images = (torch.randn(10, 3, 40, 40) for _ in range(40))
with torch.no_grad():
    model(torch.randn(10, 3, 40, 40))
base = peak()
layer_rdms(model, images, folder={folder!r})
print((peak() - base) / 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_features(tmp_path):
    """400 images x 4 layers of about 44,000 features are 275 MB; one batch and a few blocks are far less."""
    code = MEMORY.format(folder=str(tmp_path))
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(out.stdout) < 150
