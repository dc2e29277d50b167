import csv

import pytest
import torch
from torch import nn

from brainscore_granularity import networks


def image(network, n=1):
    return torch.randn(n, 3, network.image_size, network.image_size, generator=torch.Generator().manual_seed(0))


def shapes(network):
    """Name -> output shape of every child, for one image."""
    found, x = {}, image(network)
    with torch.no_grad():
        for name, module in network.eval().named_children():
            x = module(x)
            found[name] = tuple(x.shape[1:])
    return found


def test_alexnet_bn_is_the_specified_network():
    network = networks.build("alexnet_bn", 1000, seed=1)
    convolutions = {
        name: (m.kernel_size[0], m.stride[0], m.padding[0], m.out_channels, m.bias is None)
        for name, m in network.named_children()
        if isinstance(m, nn.Conv2d)
    }
    assert convolutions == {
        "conv1": (11, 4, 2, 96, True),
        "conv2": (5, 1, 2, 256, True),
        "conv3": (3, 1, 1, 384, True),
        "conv4": (3, 1, 1, 384, True),
        "conv5": (3, 1, 1, 256, True),
    }
    order = "conv1 bn1 relu1 pool1 conv2 bn2 relu2 pool2 conv3 bn3 relu3 conv4 bn4 relu4 conv5 bn5 relu5 pool5"
    order += " average flatten drop6 fc6 bn6 relu6 drop7 fc7 bn7 relu7 head"
    assert [name for name, _ in network.named_children()] == order.split()
    found = shapes(network)
    assert found["conv1"] == (96, 55, 55) and found["pool1"] == (96, 27, 27) and found["pool2"] == (256, 13, 13)
    assert found["pool5"] == (256, 6, 6) and found["average"] == (256, 3, 3) and found["flatten"] == (2304,)
    assert found["relu6"] == found["relu7"] == (4096,) and found["head"] == (1000,)
    assert all((m.kernel_size, m.stride) == (3, 2) for m in network.modules() if isinstance(m, nn.MaxPool2d))
    assert network.candidates == tuple(f"{kind}{i}" for i in range(1, 6) for kind in ("conv", "relu")) + (
        *("fc6", "relu6"),
        *("fc7", "relu7"),
    )
    assert (network.image_size, network.readout) == (224, "relu7")


def test_alexnet_bn_has_34_million_parameters():
    convolutions = 96 * 3 * 121 + 256 * 96 * 25 + 384 * 256 * 9 + 384 * 384 * 9 + 256 * 384 * 9
    hidden = 2304 * 4096 + 4096 + 4096 * 4096 + 4096
    norms = 2 * (96 + 256 + 384 + 384 + 256 + 4096 + 4096)
    parameters, _ = networks.count(networks.build("alexnet_bn", 1000, seed=0))
    assert parameters == convolutions + hidden + norms + 4096 * 1000 + 1000 == 34_084_552


def test_alexnet_bn_starts_as_specified():
    network = networks.build("alexnet_bn", 1000, seed=1)
    for name, module in network.named_children():
        if name.startswith(("conv", "fc")):
            fan_out = module.weight.shape[0] * module.weight[0, 0].numel()
            assert module.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.02), name
    assert network.head.weight.std().item() == pytest.approx(4096**-0.5, rel=0.02)
    assert all(not m.bias.any() for m in network.modules() if isinstance(m, nn.Linear))


def test_tiny_is_small():
    network = networks.build("tiny", 200, seed=0)
    parameters, multiply_adds = networks.count(network)
    assert 450_000 < parameters < 600_000 and multiply_adds < 40e6
    half = sum(t.numel() * (2 if t.is_floating_point() else t.element_size()) for t in network.state_dict().values())
    assert half < 1.2e6
    assert sum(isinstance(m, nn.Conv2d) for m in network.modules()) == 5 and network.image_size == 64


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["resnet18", "resnet50", "efficientnet_b1", "efficientnet_b2", "convnext_base", "alexnet"]
)
def test_counts_equal_those_that_torchvision_publishes(name):
    import torchvision

    published = torchvision.models.get_model_weights(name).IMAGENET1K_V1.meta
    parameters, multiply_adds = networks.count(networks.build(name, 1000, seed=0))
    assert parameters == published["num_params"]
    assert multiply_adds / 1e9 == pytest.approx(published["_ops"], abs=6e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "depth", "width", "millions"), [("tiny", 12, 192, 5.72), ("base", 12, 768, 86.57)])
def test_counts_of_vision_transformers(size, depth, width, millions):
    """All multiply-adds of ViT by hand: patches, 12 w^2 a token and block, attention over 197 tokens, head."""
    parameters, multiply_adds = networks.count(networks.build(f"vit_{size}", 1000, seed=0))
    assert parameters / 1e6 == pytest.approx(millions, abs=0.005)
    block = 197 * 12 * width**2 + 2 * 197**2 * width
    assert multiply_adds == 196 * 16 * 16 * 3 * width + depth * block + 1000 * width


@pytest.mark.slow
def test_scaled_networks_have_the_published_sizes(real_data):
    """Every depth, the widths that are exact, and CORnet-S; the published multiply-adds include batch norm."""
    with open(real_data / "scaling_laws" / "benchmark_scores.csv") as file:
        rows = {row["arch"]: row for row in csv.DictReader(file) if row["n_params"]}
    ours = {name: f"resnet18_d{name[-7:].replace('-', '')}" for name in rows if name.startswith("resnetflexfilters-d-")}
    assert len(ours) == 11
    ours |= {
        "resnetflexfilters-f-1-16-20-0": "resnet18_w2",
        "resnetflexfilters-f-1-16-20-19": "resnet18_w0.125",
        "resnetflexfilters_wr-4-1-2-4-0": "resnet18_w4",
        "cornet_s": "cornet_s",
    }
    for theirs, name in ours.items():
        parameters, multiply_adds = networks.count(networks.build(name, 1000, seed=0))
        assert parameters == float(rows[theirs]["n_params"]), name
        assert multiply_adds == pytest.approx(float(rows[theirs]["macs"]), rel=0.05), name


def test_width_one_and_two_blocks_a_stage_is_resnet18():
    reference = networks.build("resnet18", 10, seed=3).eval()
    for name in ("resnet18_w1", "resnet18_w1.0", "resnet18_d2222"):
        scaled = networks.build(name, 10, seed=4).eval()
        scaled.load_state_dict(reference.state_dict())
        assert scaled.candidates == reference.candidates
        x = image(scaled)
        with torch.no_grad():
            assert torch.equal(scaled(x), reference(x))


@pytest.mark.slow
def test_an_area_of_cornet_with_a_silent_branch_passes_on_its_skip_connection():
    area = networks.build("cornet_s", 2, seed=0).body.V4.eval()
    for norm in area.reduce_norms:
        nn.init.zeros_(norm.weight)
    x = torch.randn(2, 128, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = torch.relu(area.skip_norm(area.skip(area.enter(x))))
        assert torch.equal(area(x), expected) and expected.shape == (2, 256, 14, 14)


@pytest.mark.slow
def test_time_steps_of_cornet_share_weights():
    network = networks.build("cornet_s", 2, seed=0)
    area = network.body.IT
    runs = []
    for name in ("expand", "reduce"):
        getattr(area, name).register_forward_hook(lambda *_, name=name: runs.append(name))
    with torch.no_grad():
        network.eval()(image(network))
    assert runs == ["expand", "reduce"] * 2 and len(area.expand_norms) == 2 and len(network.body.V4.states) == 4
