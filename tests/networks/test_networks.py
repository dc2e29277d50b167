import importlib.util

import numpy as np
import pytest
import torch
from torch import nn

from brainscore_granularity import networks

FAMILIES = [
    "mini",
    "tiny",
    "alexnet_bn",
    "alexnet",
    "cornet_s",
    "resnet18",
    "resnet50",
    "efficientnet_b0",
    "convnext_tiny",
    "vit_tiny",
    "resnet18_w0.0625",
    "resnet18_d1001",
]
HAS_TIMM = importlib.util.find_spec("timm") is not None


def image(network, n=1):
    return torch.randn(n, 3, network.image_size, network.image_size, generator=torch.Generator().manual_seed(0))


@pytest.mark.slow
def test_dropout_is_an_option_that_must_do_something():
    network = networks.build("alexnet_bn", 4, seed=0, dropout=0.3)
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.3, 0.3]
    default = networks.build("alexnet_bn", 4, seed=0)
    assert [m.p for m in default.modules() if isinstance(m, nn.Dropout)] == [0.5, 0.5]
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), default.parameters(), strict=True))
    with pytest.raises(ValueError, match="tiny has no dropout layer"):
        networks.build("tiny", 4, seed=0, dropout=0.3)
    with pytest.raises(ValueError, match=r"in \[0, 1\), got 1.5"):
        networks.build("alexnet_bn", 4, seed=0, dropout=1.5)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_the_body_does_not_depend_on_the_number_of_classes(name):
    two, many = (networks.build(name, k, seed=5).state_dict() for k in (2, 64))
    assert list(two) == list(many)
    assert all(torch.equal(two[key], many[key]) for key in two if not key.startswith("head."))
    assert two["head.weight"].shape[0] == 2 and many["head.weight"].shape[0] == 64


@pytest.mark.parametrize("name", ["tiny", "vit_tiny", "resnet18_w0.0625"])
def test_seeds_differ_and_the_global_random_state_is_left_alone(name):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    one, again, other = (networks.build(name, 2, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(one[key], again[key]) for key in one)
    assert not torch.equal(one["head.weight"], other["head.weight"])
    first = next(iter(key for key in one if key.endswith("weight") and one[key].ndim == 4))
    assert not torch.equal(one[first], other[first])


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_candidates_run_once_in_order_and_recordings_are_not_overwritten(name):
    network = networks.build(name, 7, seed=0).eval()
    fired, kept, copies = [], {}, {}

    def hook(layer):
        def record(module, inputs, output):
            fired.append(layer)
            kept[layer], copies[layer] = output, output.clone()

        return record

    for layer in network.candidates:
        network.get_submodule(layer).register_forward_hook(hook(layer))
    x = image(network)
    with torch.no_grad():
        logits = network(x)
        assert fired == list(network.candidates)
        assert all(torch.equal(kept[layer], copies[layer]) for layer in fired)
        assert torch.equal(network.head(kept[network.readout]), logits) and logits.shape == (1, 7)
        for layer in (fired[0], fired[len(fired) // 2], network.readout):
            assert torch.equal(network.features(x, layer), copies[layer])
        assert torch.equal(network.features(x, "head"), logits)
    assert network.candidates[-1] == network.readout and kept[network.readout].ndim == 2


@pytest.mark.parametrize("name", ["tiny", "resnet18_w0.0625"])
def test_features_do_not_run_what_comes_after_the_layer(name):
    network = networks.build(name, 2, seed=0).eval()
    reached = []
    network.head.register_forward_hook(lambda *_: reached.append("head"))
    network.features(image(network), network.candidates[0])
    assert not reached and not network.get_submodule(network.candidates[0])._forward_hooks
    with pytest.raises(ValueError, match=f"no layer 'conv99'; candidates are {network.candidates[0]}"):
        network.features(image(network), "conv99")


def test_brain_score_records_branched_networks_by_name():
    pytest.importorskip("brainscore_vision")
    from brainscore_granularity.brains.model import wrap

    network = networks.build("resnet18_w0.0625", 3, seed=0).eval()
    x = image(network, n=2)
    recorded = wrap(network, "scaled").get_activations(list(x.numpy()), list(network.candidates))
    with torch.no_grad():
        for layer in ("body.conv1", "body.layer2.0", "pooled"):
            assert np.allclose(recorded[layer], network.features(x, layer).numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet", r"unknown network 'resnet'; known: mini, tiny, .*resnet18_w<width>"),
        ("resnet18_w", "unknown network"),
        ("resnet18_w99", "the width must lie between"),
        ("resnet18_d0000", "at least one stage needs a block"),
    ],
)
def test_wrong_names_are_told_the_right_ones(name, message):
    with pytest.raises(ValueError, match=message):
        networks.build(name, 2, seed=0)


def test_a_network_needs_a_class():
    with pytest.raises(ValueError, match="at least one class, got 0"):
        networks.build("tiny", 0, seed=0)


@pytest.mark.skipif(HAS_TIMM, reason="timm is installed")
def test_without_timm_the_error_says_how_to_get_it():
    with pytest.raises(ImportError, match=r"network 'timm_vit_tiny_patch16_224' needs timm: pip install"):
        networks.build("timm_vit_tiny_patch16_224", 2, seed=0)


@pytest.mark.skipif(not HAS_TIMM, reason="timm is not installed")
@pytest.mark.parametrize("name", ["timm_vit_tiny_patch16_224", "timm_resnet18"])
def test_architectures_of_timm(name):
    two, many = (networks.build(name, k, seed=5) for k in (2, 64))
    ours = networks.build(name.replace("timm_", "").removesuffix("_patch16_224"), 2, seed=0)
    assert networks.count(two)[0] == networks.count(ours)[0]
    assert all(torch.equal(a, b) for a, b in zip(two.body.parameters(), many.body.parameters(), strict=True))
    with torch.no_grad():
        x = image(two)
        assert torch.equal(two.eval().head(two.features(x)), two(x))
    with pytest.raises(ValueError, match="timm has no architecture 'resnet1'; nearest: resnet"):
        networks.build("timm_resnet1", 2, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mini", "tiny", "resnet18_w0.125_32px", "cornet_s", "vit_tiny", "efficientnet_b0"])
def test_given_weights_make_the_network_that_a_loaded_one_is(name):
    drawn = networks.build(name, 3, seed=1).eval()
    before = torch.get_rng_state()
    given = networks.with_weights(name, 3, {key: value.clone() for key, value in drawn.state_dict().items()})
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(module.training for module in given.modules())
    assert dict(given.named_buffers()).keys() == dict(drawn.named_buffers()).keys()  # those kept in no file too
    images = torch.rand(2, 3, drawn.image_size, drawn.image_size)
    assert torch.equal(given(images), drawn(images))


def test_a_weight_that_is_missing_is_an_error_and_not_left_as_it_happens_to_be():
    tensors = networks.build("mini", 3, seed=1).state_dict()
    del tensors["conv1.weight"]
    with pytest.raises(RuntimeError, match="conv1.weight"):
        networks.with_weights("mini", 3, tensors)
