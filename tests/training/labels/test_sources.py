import importlib.util
import io
import zipfile

import numpy as np
import pytest
import torch
from brainscore_granularity.training.labels import encoders as label_encoders
from brainscore_granularity.training.labels import rule as labels
from brainscore_granularity.training.labels import sources as label_sources
from brainscore_granularity.training.labels.features import spool
from brainscore_granularity.training.loop import loop

from brainscore_granularity import networks
from brainscore_granularity.weights import checkpoints

RNG = np.random.default_rng(0)
IDENTIFIER = "granularity_tiny_native_s1"


@pytest.fixture(scope="module")
def photos(real_data):
    """400 validation images of Tiny-ImageNet, 40 of each of ten classes: pixels and names."""
    from PIL import Image

    pixels, names = [], []
    with zipfile.ZipFile(real_data / "tiny_imagenet" / "val.zip") as archive:
        members = sorted(name for name in archive.namelist() if name.endswith(".JPEG"))
        classes = sorted({name.split("/")[-2] for name in members})[:10]
        for wnid in classes:
            for member in [name for name in members if name.split("/")[-2] == wnid][:40]:
                image = Image.open(io.BytesIO(archive.read(member))).convert("RGB")
                pixels.append(np.asarray(image))
                names.append(f"{wnid}/{member.split('/')[-1]}")
    return np.stack(pixels), names


@pytest.fixture
def store(tmp_path):
    """A store with a small network of random weights, standing for a trained one."""
    network = networks.build("tiny", 10, seed=1)
    checkpoints.save(tmp_path / "store", IDENTIFIER, network.state_dict(), {"network": "tiny", "classes": 10})
    return tmp_path / "store"


def test_labels_from_our_own_network_equal_a_singular_value_decomposition(photos, store, tmp_path):
    pixels, names = photos
    encoder = label_sources.encoder("own", checkpoint=IDENTIFIER, store=store)
    stored = spool(encoder, pixels, names, "photos", tmp_path / "features", precision="single", batch_size=64)
    found = label_sources.from_features(stored, (2, 4, 64))

    network = networks.build("tiny", 10, seed=1).eval()
    features = loop.features(network, pixels).astype(np.float64)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    u, s, vt = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    scores = (u * s)[:, :6] * np.sign(vt[np.arange(6), np.abs(vt[:6]).argmax(axis=1)])
    bits = scores > np.median(scores, axis=0)
    assert np.allclose(found.scores, scores, atol=1e-5)
    assert np.array_equal(found.by_k[2], bits[:, 0])
    assert np.array_equal(found.by_k[4], bits[:, 0] * 2 + bits[:, 1])
    assert np.array_equal(found.by_k[64], bits @ [32, 16, 8, 4, 2, 1])

    half = spool(encoder, pixels, names, "photos", tmp_path / "half", batch_size=64)
    assert (tmp_path / "half" / "features.bin").stat().st_size == 400 * 96 * 2
    agree = label_sources.from_features(half, (2, 64)).by_k[64] == found.by_k[64]
    assert agree.mean() > 0.98  # only images beside a median change sides


def test_held_out_images_are_cut_where_the_training_images_were(photos, store, tmp_path):
    pixels, names = photos
    encoder = label_sources.encoder("own", checkpoint=IDENTIFIER, store=store)
    everything = spool(encoder, pixels, names, "photos", tmp_path / "all")
    some = spool(encoder, pixels[:50], names[:50], "some photos", tmp_path / "some")
    fitted = label_sources.from_features(everything, (2, 8))
    held_out = label_sources.apply(fitted, some)
    assert all(np.array_equal(held_out[k], fitted.by_k[k][:50]) for k in (2, 8))


@pytest.mark.slow
def test_alexnet_features_are_fc2_after_the_relu(tmp_path):
    """Random weights in a file of torchvision's layout: what matters is which layer is taken."""
    import torchvision

    with torch.random.fork_rng():
        torch.manual_seed(0)
        reference = torchvision.models.alexnet(weights=None).eval()
    torch.save(reference.state_dict(), tmp_path / "alexnet.pth")
    encoder = label_sources.encoder("alexnet", weights=tmp_path / "alexnet.pth")
    pixels = RNG.integers(0, 256, (2, 224, 224, 3), np.uint8)
    seen = []
    reference.classifier[5].register_forward_hook(lambda module, inputs, output: seen.append(output.clone()))
    with torch.no_grad():
        reference(loop.normalise(torch.from_numpy(pixels)))
    found = encoder(pixels, torch.device("cpu"))
    assert found.shape == (2, 4096) and found.min() == 0 and np.allclose(found, seen[0].numpy(), atol=1e-5)


@pytest.mark.parametrize("source", ["alexnet", "vit"])
def test_missing_weights_are_never_replaced_by_untrained_ones(source, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    with pytest.raises(label_encoders.MissingWeights, match=r"expected .*hub.*\.pth.*Get them once with `python -c"):
        label_sources.encoder(source)


@pytest.mark.parametrize("source", ["alexnet", "vit", "clip", "dino"])
def test_a_weights_file_that_is_not_there_is_an_error(source):
    with pytest.raises(label_encoders.MissingWeights, match=r"expected /nowhere/w.pth. Get them once with `python -c"):
        label_sources.encoder(source, weights="/nowhere/w.pth")


@pytest.mark.skipif(importlib.util.find_spec("timm") is not None, reason="timm is installed")
@pytest.mark.parametrize("source", ["clip", "dino"])
def test_without_timm_the_error_says_how_to_get_it(source, tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"")
    for weights in (None, tmp_path / "weights.safetensors"):
        with pytest.raises(ImportError, match="the label source vit_large_.* needs timm: pip install"):
            label_sources.encoder(source, weights=weights)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_of_other_weights_is_an_error(tmp_path, suffix):
    import safetensors.torch

    path = tmp_path / f"weights{suffix}"
    tensors = {"layer.weight": torch.zeros(2)}
    safetensors.torch.save_file(tensors, path) if suffix == ".safetensors" else torch.save(tensors, path)
    with pytest.raises(ValueError, match="does not hold the weights of torchvision's AlexNet.*Missing key"):
        label_sources.encoder("alexnet", weights=path)
    path.write_bytes(b"rubbish")
    with pytest.raises(ValueError, match="does not hold the weights of torchvision's AlexNet"):
        label_sources.encoder("alexnet", weights=path)


def test_sources_and_their_arguments(store, monkeypatch, tmp_path):
    with pytest.raises(
        ValueError, match="'wordnet' has no features; sources with features: alexnet, vit, clip, dino, lite0"
    ):
        label_sources.encoder("wordnet")
    with pytest.raises(ValueError, match="need the id of its checkpoint"):
        label_sources.encoder("own")
    with pytest.raises(ValueError, match="alexnet takes a weights file, not a checkpoint"):
        label_sources.encoder("alexnet", checkpoint=IDENTIFIER)
    with pytest.raises(checkpoints.CheckpointError, match="no checkpoint of granularity_x"):
        label_sources.encoder("own", checkpoint="granularity_x", store=store)
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        label_encoders.own(IDENTIFIER, store, layer="conv9")
    with pytest.raises(ValueError, match="unknown pretrained source 'vgg'; known: alexnet, vit, clip, dino"):
        label_encoders.pretrained("vgg")


def test_random_and_permuted_labels_keep_sizes_and_nesting():
    by_k = labels.nested_labels(RNG.normal(size=(200, 3)), (2, 4, 8))
    shuffled = label_sources.permuted(by_k, seed=1)
    for k in (2, 4, 8):
        assert np.array_equal(np.bincount(shuffled[k]), np.bincount(by_k[k]))
        assert abs(np.corrcoef(shuffled[k], by_k[k])[0, 1]) < 0.25
    assert np.array_equal(shuffled[8] // 2, shuffled[4])
    random = label_sources.at_random(203, (2, 8), seed=1)
    assert sorted(np.bincount(random[8])) == [25] * 5 + [26] * 3
    assert np.array_equal(random[8], label_sources.at_random(203, (8,), seed=1)[8])


def test_extremes_are_the_ends_of_each_component():
    scores = RNG.normal(size=(30, 2))
    names = [str(i) for i in range(30)]
    for column, (low, high) in zip(scores.T, label_sources.pc_extremes(scores, names, 4), strict=True):
        ranked = [str(i) for i in sorted(range(30), key=lambda i: column[i])]
        assert low == ranked[:4] and high == ranked[::-1][:4]
    for wrong in (0, 16):
        with pytest.raises(ValueError, match="between 1 and half of 30"):
            label_sources.pc_extremes(scores, names, wrong)
