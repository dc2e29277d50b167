"""A run is described by one frozen dataclass; its id is a hash of all settings that change the result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Literal

SUPERVISED = ("classify", "auxiliary", "curriculum", "adversarial", "regress")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. Equal recipes give equal weights; a setting that would not be used is an error."""

    network: str
    """Architecture, by its name in brainscore_granularity.networks."""
    labels: str
    """Where the classes come from, such as own, native or untrained; none without classes (SimCLR, DINO)."""
    k: int
    """Number of classes."""
    seed: int
    """Sets the initial weights and the network's own randomness (dropout, random starts)."""
    epochs: int = 9
    """Passes over the images."""
    batch_size: int = 128
    """Images per step."""
    learning_rate: float = 4e-3
    """Largest learning rate."""
    weight_decay: float = 1e-3
    """Weight decay of tensors with two or more dimensions; biases and norms have none."""
    label_smoothing: float = 0.1
    """Share of each target spread over all classes."""
    warmup_epochs: float = 1.0
    """Epochs in which the learning rate rises from first_rate to its full value; then it follows a cosine."""
    final_rate: float = 0.05
    """Share of the learning rate left at the end."""
    clip: float = 1.0
    """Largest gradient norm; infinity for no limit."""
    first_rate: float = 0.25
    """Share of the learning rate at the first step."""
    data_seed: int | None = None
    """Sets the order and the augmentation of the images; by default the seed. Networks that share it, the batch
    size and the augmentation also share one pass over the data in a ladder."""
    augmentation: str = "flip"
    """flip, none, or KEY=VALUE,... of flip, rotation, crop_padding, random_resized_crop, size, randaugment, colour,
    hue, colour_share, grey, blur, such as rotation=10,flip=true."""
    order: Literal["images", "blocks"] = "images"
    """Images in any order, or runs of neighbours mixed in windows, for packs larger than memory."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Precision of the forward and backward pass; weights and losses stay in float32."""
    accumulate: int = 1
    """Pieces that a batch is cut into to save memory; batch norm sees one piece at a time."""
    optimizer: Literal["adamw", "sgd", "lars"] = "adamw"
    """Optimiser."""
    momentum: float | None = None
    """Momentum of SGD (without Nesterov) and of LARS."""
    dropout: float | None = None
    """Share of units silenced in the network's dropout layers; by default the network's own."""
    ema: float | None = None
    """Decay per step of a running average of the weights; this average is then the result."""
    objective: Literal["classify", "auxiliary", "curriculum", "adversarial", "regress", "simclr", "dino"] = "classify"
    """What the loss is; see training.loop.objectives."""
    auxiliary_k: int | None = None
    """Auxiliary: number of classes of the second head."""
    auxiliary_weight: float | None = None
    """Auxiliary: weight of the second head's loss (lambda)."""
    tune: Literal["all", "late", "head"] | None = None
    """Curriculum: what is trained after the head is replaced; late is the second half of the layers."""
    epsilon: float | None = None
    """Adversarial: largest change of a pixel in 0..1."""
    attack_step: float | None = None
    """Adversarial: size of the one gradient step, in 0..1."""
    projection: int | None = None
    """SimCLR and DINO: outputs of the projection head (DINO: prototypes)."""
    temperature: float | None = None
    """SimCLR: temperature of the softmax over the other images."""
    teacher_momentum: float | None = None
    """DINO: decay per step of the teacher's average at the start; it rises to 1 along a cosine."""

    local_views: int | None = None
    """DINO: small crops per image, in addition to two large ones; only for networks that take images of any size."""
    rule: Literal["backprop", "feedback_alignment", "predictive_coding", "stdp", "readout", "untrained"] = "backprop"
    """Learning rule: how a step changes the weights; see training.rules."""
    feedback: Literal["random", "sign", "direct"] | None = None
    """Feedback alignment: random fixed weights, with the signs of the true ones, or from the output to every layer."""
    inference_steps: int | None = None
    """Predictive coding: relaxation steps per batch (T)."""
    clamp: float | None = None
    """Predictive coding: how strongly the output is pulled towards the target; backpropagation at 0."""
    top_down: Literal["learned", "tied"] | None = None
    """Predictive coding: learn separate top-down weights, or tie them to the transposed bottom-up ones."""
    spike_steps: int | None = None
    """STDP: time steps per image (T)."""
    tau_plus: float | None = None
    """STDP: time constant of potentiation, in steps."""
    tau_minus: float | None = None
    """STDP: time constant of depression, in steps."""
    depression: float | None = None
    """STDP: largest depression of a pair, where the largest potentiation is 1."""
    plasticity: float | None = None
    """STDP: how far a kernel moves per step at first, relative to its norm; 0 in the second half of the schedule."""

    def __post_init__(self):
        for name, owner, value, owners in _CONDITIONAL:
            used = getattr(self, owner) in owners
            if used and getattr(self, name) is None:
                raise ValueError(f"{owner} {getattr(self, owner)} needs {name}, such as {name} = {value}")
            if not used and getattr(self, name) is not None:
                raise ValueError(
                    f"{name} = {getattr(self, name)} would not be used: it belongs to {owner} {' or '.join(owners)}, "
                    f"this recipe has {owner} {getattr(self, owner)}. Leave {name} out."
                )
        for field in fields(self):
            choices = _CHOICES.get(field.name)
            if choices and getattr(self, field.name) not in choices:
                raise ValueError(
                    f"unknown {field.name} {getattr(self, field.name)!r}; known: {', '.join(map(str, choices))}"
                )
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"{name} must lie in {low:g}..{high:g}, got {value}")
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"accumulate = {self.accumulate} does not divide the batch of {self.batch_size} into equal pieces"
            )
        if self.objective not in SUPERVISED:
            if (self.labels, self.k, self.label_smoothing) != ("none", 1, 0.0):
                raise ValueError(
                    f"objective {self.objective} uses no classes: set labels none, k 1 and label_smoothing 0; got "
                    f"{self.labels}, {self.k} and {self.label_smoothing}"
                )
            if self.accumulate > 1:
                raise ValueError(f"objective {self.objective} compares images of one batch: accumulate must be 1")

        if self.objective == "regress" and self.label_smoothing:
            raise ValueError(f"objective regress has no classes: set label_smoothing 0, got {self.label_smoothing}")
        if self.rule != "backprop" and self.objective != "classify":
            raise ValueError(f"rule {self.rule} learns classes: set objective classify, got {self.objective}")

    @property
    def data_stream(self) -> tuple:
        """Settings that decide the order and augmentation of the images; networks that share a pass have equal ones."""
        seed = self.seed if self.data_seed is None else self.data_seed
        views = 2 if self.objective in ("simclr", "dino") else 1
        return seed, self.batch_size, self.augmentation, self.order, views, self.local_views or 0

    def run_id(self, data_fingerprint: str) -> str:
        """Hash of this recipe and of the images and labels it is trained on.

        Settings added after the first release enter the hash only if they differ from their default, so that a new
        setting does not give every old run a new id.
        """
        defaults = {field.name: field.default for field in fields(self)}
        settings = {k: v for k, v in asdict(self).items() if k in _FIRST_RELEASE or v != defaults[k]}
        content = json.dumps([settings, data_fingerprint], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


_FIRST_RELEASE = (
    "network labels k seed epochs batch_size learning_rate weight_decay label_smoothing warmup_epochs final_rate clip"
).split()

# (setting, the setting it depends on, example value, values of the latter for which it is used)
_CONDITIONAL = (
    ("momentum", "optimizer", 0.9, ("sgd", "lars")),
    ("auxiliary_k", "objective", 2, ("auxiliary",)),
    ("auxiliary_weight", "objective", 0.5, ("auxiliary",)),
    ("tune", "objective", "all", ("curriculum",)),
    ("epsilon", "objective", 0.0039, ("adversarial",)),
    ("attack_step", "objective", 0.0049, ("adversarial",)),
    ("projection", "objective", 128, ("simclr", "dino")),
    ("temperature", "objective", 0.5, ("simclr",)),
    ("teacher_momentum", "objective", 0.996, ("dino",)),
    ("local_views", "objective", 6, ("dino",)),
    ("feedback", "rule", "random", ("feedback_alignment",)),
    ("inference_steps", "rule", 2, ("predictive_coding",)),
    ("clamp", "rule", 0.01, ("predictive_coding",)),
    ("top_down", "rule", "learned", ("predictive_coding",)),
    ("spike_steps", "rule", 8, ("stdp",)),
    ("tau_plus", "rule", 2.0, ("stdp",)),
    ("tau_minus", "rule", 2.0, ("stdp",)),
    ("depression", "rule", 0.5, ("stdp",)),
    ("plasticity", "rule", 0.01, ("stdp",)),
)
_CHOICES = {
    "order": ("images", "blocks"),
    "precision": ("float32", "bfloat16"),
    "optimizer": ("adamw", "sgd", "lars"),
    "objective": ("classify", "auxiliary", "curriculum", "adversarial", "regress", "simclr", "dino"),
    "tune": ("all", "late", "head", None),
    "rule": ("backprop", "feedback_alignment", "predictive_coding", "stdp", "readout", "untrained"),
    "feedback": ("random", "sign", "direct", None),
    "top_down": ("learned", "tied", None),
}
_INFINITE = float("inf")
_RANGES = {
    "k": (1, _INFINITE),
    "epochs": (0, _INFINITE),
    "batch_size": (1, _INFINITE),
    "learning_rate": (0, _INFINITE),
    "weight_decay": (0, _INFINITE),
    "label_smoothing": (0, _INFINITE),
    "warmup_epochs": (0, _INFINITE),
    "accumulate": (1, _INFINITE),
    "dropout": (0, 1),
    "ema": (0, 1),
    "teacher_momentum": (0, 1),
    "local_views": (0, _INFINITE),
    "inference_steps": (1, _INFINITE),
    "clamp": (1e-6, _INFINITE),
    "spike_steps": (2, _INFINITE),
    "tau_plus": (1e-3, _INFINITE),
    "tau_minus": (1e-3, _INFINITE),
    "depression": (0, _INFINITE),
    "plasticity": (0, _INFINITE),
}


@dataclass(frozen=True)
class Execution:
    """How a run is carried out; these settings do not change the result."""

    device: str | None = None
    """cpu, cuda or cuda:1; by default the first GPU where there is one."""
    compile: bool = False
    """Let torch compile the networks."""
    save_seconds: float = 60.0
    """Seconds between two saves of the state: the most work that a crash can lose."""
    check_steps: int = 50
    """Steps between two readings of the loss; each reading waits for the device."""
    snapshots_mb: float = 0.0
    """Disk space for weight snapshots during training (MB), spread over log(step), half precision; 0 for none."""
    report: bool = False
    """After each epoch, report each layer's weight change, angle to backpropagation and activity; networks without
    branches only."""

    def place(self) -> str:
        """Name of the device."""
        import torch

        return self.device or ("cuda" if torch.cuda.is_available() else "cpu")
