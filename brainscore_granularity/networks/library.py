"""Architectures of torchvision and timm, built untrained; no weights are downloaded."""

from __future__ import annotations

import difflib
import importlib.util

from torch import nn

from .base import Branched

TIMM = "timm_"  # prefix of the names of timm's architectures
IMAGE_SIZES = {"efficientnet_b1": 240, "efficientnet_b2": 288}  # 224 in all others
VITS = {  # layers, heads, width: ViT-T, S, B, L with patches of 16 pixels (Dosovitskiy 2021, Touvron 2021)
    "vit_tiny": (12, 3, 192),
    "vit_small": (12, 6, 384),
    "vit_base": (12, 12, 768),
    "vit_large": (24, 16, 1024),
}


def alexnet(classes: int) -> Branched:
    """torchvision's AlexNet: no batch norm; convolutions and hidden layers before and after their ReLU."""
    import torchvision

    body = torchvision.models.alexnet(weights=None)
    kinds = (nn.Conv2d, nn.ReLU, nn.Linear)
    names = [name for name, module in body.named_modules() if isinstance(module, kinds)]
    return _without_classifier(body, classes, names[:-2], 224)  # ``pooled`` records the last ReLU


def efficientnet(name: str, classes: int) -> Branched:
    """efficientnet_b0, b1 or b2 (Tan & Le 2019): stem and last convolution before and after their batch norm."""
    import torchvision

    body = torchvision.models.get_model(name, weights=None)
    *stages, last = range(1, len(body.features))
    blocks = [f"features.{stage}.{number}" for stage in stages for number in range(len(body.features[stage]))]
    candidates = ["features.0.0", "features.0", *blocks, f"features.{last}.0", f"features.{last}"]
    return _without_classifier(body, classes, candidates, IMAGE_SIZES.get(name, 224))


def convnext(name: str, classes: int) -> Branched:
    """convnext_tiny, small, base or large (Liu et al. 2022): the stem and every block."""
    import torchvision

    body = torchvision.models.get_model(name, weights=None)
    stages = range(1, len(body.features), 2)  # the modules between the stages halve the resolution
    blocks = [f"features.{stage}.{number}" for stage in stages for number in range(len(body.features[stage]))]
    return _without_classifier(body, classes, ["features.0", *blocks], 224)


def vit(name: str, classes: int) -> Branched:
    """vit_tiny, small, base or large with patches of 16 pixels: every encoder block; the readout is its CLS token."""
    from torchvision.models.vision_transformer import VisionTransformer

    layers, heads, width = VITS[name]
    body = VisionTransformer(224, 16, layers, heads, hidden_dim=width, mlp_dim=4 * width)
    candidates = [f"encoder.layers.encoder_layer_{number}" for number in range(layers)]
    return _without_classifier(body, classes, ["conv_proj", *candidates], 224)


def from_timm(name: str, classes: int) -> Branched:
    """Any architecture of timm, as ``timm_<name in timm>``."""
    timm = require_timm(f"network {name!r}")
    known = name.removeprefix(TIMM)
    if not timm.is_model(known):
        near = difflib.get_close_matches(known, timm.list_models(), n=6, cutoff=0.4)
        raise ValueError(f"timm has no architecture {known!r}; nearest: {', '.join(near) or 'timm.list_models()'}")
    body = timm.create_model(known, pretrained=False, num_classes=0)
    candidates = list(dict.fromkeys(info["module"] for info in body.feature_info))
    size = body.default_cfg["input_size"][-1]
    width = getattr(body, "head_hidden_size", None) or body.num_features
    return Branched(body, width, classes, candidates, size)


def require_timm(for_what: str):
    """The timm module, or an error that says how to get it."""
    if importlib.util.find_spec("timm") is None:
        raise ImportError(f"{for_what} needs timm: pip install 'brainscore_granularity[train]' (or: pip install timm)")
    import timm

    return timm


def _without_classifier(body: nn.Module, classes: int, candidates: list[str], image_size: int) -> Branched:
    name = [name for name, module in body.named_modules() if isinstance(module, nn.Linear)][-1]
    width = body.get_submodule(name).in_features
    body.set_submodule(name, nn.Identity())
    return Branched(body, width, classes, candidates, image_size)
