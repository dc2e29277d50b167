"""The checkpoint store: safetensors + JSON, found by model id, checked by content hash. No pickle.

A store is a folder. ``<id>.json`` holds what is known of a model and names its weights file,
``<id>-<hash>.safetensors``. The JSON is written last and replaced in one step, so that a crash at any moment
leaves the old checkpoint or the new one. Weights may also be published elsewhere, see `published`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from . import plugins
from .paths import home, write_atomically


class CheckpointError(Exception):
    """A checkpoint is missing or damaged; the message says which, where, and how to make it."""


@dataclass(frozen=True)
class Checkpoint:
    identifier: str
    weights: Path
    sha256: str
    info: dict  # network, classes, recipe, data, metrics, versions

    @property
    def short_hash(self) -> str:
        return self.sha256[:12]

    def is_intact(self) -> bool:
        """Whether the weights file is there and is the one that the JSON describes."""
        try:
            return hashlib.sha256(self.weights.read_bytes()).hexdigest() == self.sha256
        except OSError:
            return False

    def state_dict(self) -> dict:
        """The tensors, in single precision, after the file's hash has been checked."""
        import safetensors.torch

        try:
            content = self.weights.read_bytes()
        except OSError as error:
            raise CheckpointError(f"cannot read the weights of {self.identifier}: {error}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise CheckpointError(
                f"{self.weights} is damaged: its SHA-256 is {found[:12]}..., {self.weights.stem}.json expects "
                f"{self.short_hash}... Delete the file and {how_to_make(self.identifier)}."
            )
        tensors = safetensors.torch.load(content)
        return {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}


class Untrained(Checkpoint):
    """A network as its seed makes it; ``weights`` is no file, and the hash is that of the recipe."""

    def is_intact(self) -> bool:
        return True

    def state_dict(self) -> dict:
        from . import networks

        return networks.build(self.info["network"], self.info["classes"], self.info["initial_seed"]).state_dict()


class Published(Checkpoint):
    """Weights under a URL, fetched into the user's store when they are first needed."""

    def state_dict(self) -> dict:
        from .download import fetch

        advice = f"Fetch it by hand to {self.weights}, or {how_to_make(self.identifier)}."
        fetch(self.info["url"], self.weights, self.sha256, advice)
        return super().state_dict()


def default_store() -> Path:
    """The user's own checkpoints."""
    return home() / "checkpoints"


def save(store: Path, identifier: str, state_dict: dict, info: dict, half: bool = False) -> Checkpoint:
    """Write a checkpoint; an earlier one of the same id is replaced only once this one is complete.

    half : store floating-point tensors in half precision (for weights that travel with the package).
    """
    import safetensors.torch
    import torch

    tensors = {}
    for name, tensor in state_dict.items():
        tensor = tensor.detach().cpu().contiguous()
        tensors[name] = tensor.to(torch.float16) if half and tensor.is_floating_point() else tensor
    content = safetensors.torch.save(tensors)
    sha256 = hashlib.sha256(content).hexdigest()
    weights = store / f"{identifier}-{sha256[:12]}.safetensors"
    write_atomically(weights, content)
    record = {**info, "identifier": identifier, "weights": weights.name, "sha256": sha256}
    write_atomically(store / f"{identifier}.json", json.dumps(record, indent=1, sort_keys=True) + "\n")
    for old in store.glob(f"{identifier}-*.safetensors"):
        if old != weights and len(old.stem) == len(weights.stem):
            old.unlink(missing_ok=True)
    return Checkpoint(identifier, weights, sha256, info)


def read(store: Path, identifier: str) -> Checkpoint | None:
    """The checkpoint of a model in one store, or None where there is none."""
    path = store / f"{identifier}.json"
    try:
        record = json.loads(path.read_text())
        weights, sha256 = store / record.pop("weights"), record.pop("sha256")
    except FileNotFoundError:
        return None
    except (json.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(
            f"{path} is damaged ({type(error).__name__}: {error}). Delete it and {how_to_make(identifier)}."
        ) from error
    return Checkpoint(identifier, weights, sha256, record)


def find(identifier: str, plugin: Path | None = None) -> Checkpoint:
    """The checkpoint of a model: the user's own, or shipped with its plugin, or published, or built from its seed.

    Nothing is fetched before the weights are asked for.

    plugin : folder of the plugin; by default that which registers the model, if one does.
    """
    from . import published

    plugin = plugin or plugins.folder_of("models", identifier)
    stores = (default_store(), *([plugin / "weights"] if plugin else []))
    for store in stores:
        if (checkpoint := read(store, identifier)) is not None:
            return checkpoint
    if (checkpoint := published.find(identifier, plugin)) is not None:
        return checkpoint
    looked = " or ".join(os.fspath(store) for store in stores)
    raise CheckpointError(f"no checkpoint of {identifier} in {looked}. To make it, {how_to_make(identifier)}.")


def versions() -> dict[str, str]:
    """What a checkpoint is made with."""
    import platform

    import numpy
    import torch

    from . import __version__

    return {
        "brainscore_granularity": __version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "torch": torch.__version__,
    }


_TRAINED = re.compile(r"granularity_(?P<recipe>[a-z]+)_(?P<labels>[a-z][a-z0-9]*)(_k(?P<k>\d+))?_s(?P<seed>\d+)")

_RULE = re.compile(r"learningrule_(?P<rule>[a-z_]+?)(_(?P<labels>[a-z][a-z0-9]*_k\d+))?_s(?P<seed>\d+)")

_SCALING = re.compile(r"scaling_(?P<network>[a-z0-9]+)_w(?P<width>\d+)(of(?P<of>\d+))?_d(?P<images>\d+)_s(?P<seed>\d+)")


def how_to_make(identifier: str) -> str:
    """The commands that make a checkpoint, in one line."""
    if identifier.startswith("granularity_world_"):
        return "run `granularity demo`"
    if parts := _RULE.fullmatch(identifier):
        labels = f" --labels {parts['labels']}" if parts["labels"] else ""
        rule = f"--rule {parts['rule']}{labels} --seed {parts['seed']} --report"
        return f"run `granularity train --recipe learning_rules --data CIFAR10 {rule}`"
    if parts := _SCALING.fullmatch(identifier):
        network = f"{parts['network']}_w{int(parts['width']) / int(parts['of'] or 1):g}_64px"
        subset = f"--images-per-class {parts['images']} --subset-seed {parts['seed']} --seed {parts['seed']}"
        command = f"granularity train --recipe scaling --data TINY_IMAGENET --network {network} {subset}"
        return f"run `{command} --name {identifier}`, then `granularity commit {identifier}`"
    if not (parts := _TRAINED.fullmatch(identifier)):
        return f"train {identifier} and save it there"
    recipe, source, k, seed = parts["recipe"], parts["labels"], parts["k"], parts["seed"]
    steps, of = [], f"--recipe {recipe} --data IMAGES"
    if source not in ("native", "untrained", "random"):
        cut = "own" if source == "permuted" else source
        needs = {
            "own": f" --checkpoint granularity_{recipe}_native_s0",
            "merged": f" --k {k} --seed {seed}",
            "wordnet": f" --k {k} --is-a data.noun",
            "untrainedpcs": " --seed 0",
        }
        steps.append(f"`granularity labels {of} --source {cut}{needs.get(cut, '')}`")
    classes = f" --k {k}" if k else ""
    also = {"untrained": "native --epochs 0", "distilled": "distilled --objective regress --label-smoothing 0"}
    labels = also.get(source, source)
    if source == "merged":  # every seed merges anew
        labels, classes = f"merged_k{k}_s{seed}", ""
    named = f" --name {identifier}" if source == "untrained" else ""
    steps.append(f"`granularity train {of} --labels {labels}{classes} --seed {seed}{named}`")
    steps.append(f"`granularity commit {identifier}`")
    return "run " + ", then ".join(steps)
