"""Networks by name: pure torch, self-contained, every candidate layer is a named module.

A network has ``image_size``, ``candidates`` (layers a brain region may be committed to, early to late, before batch
norm and after the non-linearity where it has them), ``readout`` (its last hidden layer), ``head`` (its classifier)
and ``features(images, layer)``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from . import cornet, library, resnet
from .base import Branched, Network
from .sequential import alexnet_bn, mini, rules_cnn, tiny

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

NETWORKS: dict[str, Callable[[int], Network | Branched]] = {
    "mini": mini,
    "tiny": tiny,
    "rules_cnn": rules_cnn,
    "alexnet_bn": alexnet_bn,
    "alexnet": library.alexnet,
    "cornet_s": cornet.cornet_s,
    **{name: partial(resnet.resnet, name) for name in (f"resnet{depth}" for depth in (18, 34, 50, 101, 152))},
    **{name: partial(library.efficientnet, name) for name in (f"efficientnet_b{size}" for size in (0, 1, 2))},
    **{
        f"convnext_{size}": partial(library.convnext, f"convnext_{size}") for size in ("tiny", "small", "base", "large")
    },
    **{name: partial(library.vit, name) for name in library.VITS},
}
PATTERNS = ("resnet18_w<width>[_<size>px]", "resnet18_d<blocks of 4 stages>[_<size>px]", "timm_<architecture of timm>")


def build(name: str, classes: int, seed: int, dropout: float | None = None) -> Network | Branched:
    """A newly initialised network; the same seed gives the same body for any number of classes.

    name : one of `NETWORKS`, or ``resnet18_w0.25`` (ResNet-18 with a quarter of the channels), ``resnet18_d1102``
        (with 1, 1, 0 and 2 blocks in its stages), ``timm_<name>`` (any architecture of timm).
    dropout : probability in every dropout layer; None keeps the architecture's own.
    """
    if classes < 1:
        raise ValueError(f"a network needs at least one class, got {classes}")
    network = seeded(lambda: _construct(name, classes), seed)
    if dropout is not None:
        set_dropout(network, name, dropout)
    return network


def with_weights(name: str, classes: int, tensors: dict[str, torch.Tensor]) -> Network | Branched:
    """A network with the given weights (a whole state dict), in evaluation mode.

    Initial weights are not drawn, because for AlexNet this takes longer than the rest of loading.
    """
    with torch.random.fork_rng(devices=[]), _Undrawn():
        network = _construct(name, classes)
    network.load_state_dict(tensors, assign=True)  # an error if one is missing
    return network.eval()


def without_weights(name: str, classes: int = 1) -> Network | Branched:
    """A network that knows its layers and their shapes but holds no numbers: on torch's meta device."""
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        return _construct(name, classes)


class _Undrawn(TorchFunctionMode):
    """Within this mode, functions that fill tensors with random numbers do nothing."""

    def __torch_function__(self, function, types, arguments=(), named=None):
        if (
            function in (torch.Tensor.uniform_, torch.Tensor.normal_)
            or getattr(function, "__module__", "") == nn.init.__name__
        ):
            return arguments[0] if arguments else named["tensor"]
        return function(*arguments, **(named or {}))


def seeded(construct: Callable[[], Network | Branched], seed: int) -> Network | Branched:
    """The network that ``construct`` makes, with the initial weights of a seed; torch's generator is not changed."""
    with torch.random.fork_rng(devices=[]):
        generator = torch.default_generator  # torch.manual_seed would also seed the GPUs, which are not restored
        generator.manual_seed(seed)
        network = construct()
        generator.manual_seed(seed)  # again, because construction draws numbers that depend on the size of the head
        initialise(network)
    return network


def initialise(network: nn.Module) -> None:
    """Kaiming normal (fan out) for convolutions and hidden layers, N(0, 1/sqrt(fan in)) for the last one, biases 0.

    Layers are drawn in order and the head comes last, so the body does not depend on the number of classes. The body
    of a `Branched` network keeps the initialisation of its own architecture, and only the head is drawn.
    """
    root = network.head if isinstance(network, Branched) else network
    weighted = [m for m in root.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    for module in weighted[:-1]:
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    head = weighted[-1]
    nn.init.normal_(head.weight, std=head.weight.shape[1] ** -0.5)
    for module in weighted:
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def set_dropout(network: nn.Module, name: str, probability: float) -> None:
    """Give every dropout layer the same probability; a network without one is an error."""
    layers = [m for m in network.modules() if isinstance(m, nn.Dropout)]
    if not layers:
        raise ValueError(
            f"{name} has no dropout layer, so that dropout {probability} would change nothing; leave it out"
        )
    if not 0 <= probability < 1:
        raise ValueError(f"dropout must lie in [0, 1), got {probability}")
    for layer in layers:
        layer.p = probability


def count(network: Network | Branched) -> tuple[int, int]:
    """Parameters, and multiply-adds of one forward pass for one image.

    Convolutions, matrix products and attention are counted; batch norm, non-linearities and pooling (about 1%) are
    not. The pass runs on torch's meta device, which computes only shapes.
    """
    from torch.utils.flop_counter import FlopCounterMode

    parameters = sum(p.numel() for p in network.parameters())
    shadow = copy.deepcopy(network).to("meta").eval()
    images = torch.empty(1, 3, network.image_size, network.image_size, device="meta")
    # With gradients: without them attention uses a fused kernel that the counter does not know.
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:
        shadow(images)
    return parameters, counter.get_total_flops() // 2


def constructor(name: str) -> tuple[Callable, tuple]:
    """The function that makes a network, and its arguments before the number of classes."""
    if name in NETWORKS:
        made = NETWORKS[name]
        return (made.func, made.args) if isinstance(made, partial) else (made, ())
    return (library.from_timm if name.startswith(library.TIMM) else resnet.by_width_or_depth), (name,)


def _construct(name: str, classes: int) -> Network | Branched:
    function, arguments = constructor(name)
    if (network := function(*arguments, classes)) is not None:
        return network
    raise ValueError(f"unknown network {name!r}; known: {', '.join((*NETWORKS, *PATTERNS))}")
