"""Layers by depth: for every architecture, by a rule that knows shapes only."""

from collections import OrderedDict

import pytest
import torch
from torch import nn

from brainscore_granularity import networks
from brainscore_granularity.networks import depth


@pytest.mark.parametrize(
    "name", ["mini", "tiny", "rules_cnn", "alexnet_bn", "alexnet", "resnet18", "resnet18_w0.0625_64px", "cornet_s",
             "efficientnet_b0", "convnext_tiny", "vit_tiny"]
)  # fmt: skip
def test_every_network_has_layers_from_early_to_late_in_maps_or_tokens(name):
    layers = depth.layers_by_depth(name)
    network = networks.without_weights(name)
    order = [network.candidates.index(layers[region]) for region in ("V1", "V2", "V4", "IT")]
    assert order == sorted(order) and order[0] < order[-1] and layers["behavior"] == network.readout
    assert not any(isinstance(network.get_submodule(layers[region]), nn.Conv2d | nn.Linear) for region in layers)


def test_the_stages_of_known_networks():
    assert depth.stages(networks.without_weights("tiny")) == ["relu1", "relu2", "relu3", "relu4", "relu5"]
    alexnet = depth.layers_by_depth("alexnet")  # torchvision's: 1, 4, 7, 9, 11 are its rectified convolutions
    assert alexnet == {"V1": "body.features.1", "V2": "body.features.7", "V4": "body.features.9",
                       "IT": "body.features.11", "behavior": "pooled"}  # fmt: skip


def test_no_stage_is_an_error(monkeypatch):
    flat = networks.Network(
        OrderedDict(flat=nn.Flatten(), fc1=nn.Linear(12, 4), relu1=nn.ReLU(), head=nn.Linear(4, 1)), 2
    )
    monkeypatch.setattr(depth, "without_weights", lambda name: flat.to("meta"))
    with pytest.raises(ValueError, match="no candidate layer of flat has places in the image, got fc1, relu1"):
        depth.layers_by_depth("flat")


def test_a_network_without_weights_draws_no_random_numbers():
    torch.manual_seed(0)
    first = torch.rand(1)
    torch.manual_seed(0)
    assert all(p.is_meta for p in networks.without_weights("tiny", 7).parameters()) and torch.equal(
        torch.rand(1), first
    )
