"""The checkpoint store: safetensors + JSON, found by model id, checked by content hash. No pickle.

A store is a folder. ``<id>.json`` holds what is known of a model and names its weights file,
``<id>-<hash>.safetensors``. The JSON is written last and replaced in one step, so that a crash at any moment
leaves the old checkpoint or the new one. Weights may also be published elsewhere, see `manifest`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from brainscore_granularity.paths import home, sha256_of, write_atomically

from .identifiers import how_to_make


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
            return sha256_of(self.weights) == self.sha256
        except OSError:
            return False

    def state_dict(self) -> dict:
        """The tensors, in single precision, after the file's hash has been checked."""
        return self._tensors("weights", self.sha256, f"{self.weights.stem}.json")

    def _tensors(self, what: str, sha256: str, says: str) -> dict:
        """Tensors of a file, after its hash has been compared with the expected one."""
        import safetensors.torch

        try:
            content = self.weights.read_bytes()
        except OSError as error:
            raise CheckpointError(
                f"cannot read the {what} of {self.identifier}: {error}. To make them, {how_to_make(self.identifier)}."
            ) from error
        found = hashlib.sha256(content).hexdigest()
        if found != sha256:
            raise CheckpointError(
                f"{self.weights} is damaged: its SHA-256 is {found[:12]}..., {says} expects {sha256[:12]}... Delete "
                f"the file and {how_to_make(self.identifier)}."
            )
        tensors = safetensors.torch.load(content)
        return {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}

    def network(self):
        """The network with these weights, in evaluation mode."""
        from brainscore_granularity import networks

        return networks.with_weights(self.info["network"], self.info["classes"], self.state_dict())


class Untrained(Checkpoint):
    """A network as its seed makes it; ``weights`` is no file, and the hash is that of the recipe."""

    def is_intact(self) -> bool:
        return True

    def state_dict(self) -> dict:
        from brainscore_granularity import networks

        return networks.build(self.info["network"], self.info["classes"], self.info["initial_seed"]).state_dict()


class Fitted(Checkpoint):
    """A network as its seed makes it, but for the running means and variances of batch norm, taken from images.

    ``weights`` is the file of these statistics, and the hash that of the recipe and of the file.
    """

    def is_intact(self) -> bool:
        try:
            return sha256_of(self.weights) == self.info["sha256"]
        except OSError:
            return False

    def state_dict(self) -> dict:
        from brainscore_granularity import networks

        built = networks.build(self.info["network"], self.info["classes"], self.info["initial_seed"]).state_dict()
        found = self._tensors("statistics", self.info["sha256"], "its manifest")
        shapes, expected = ({n: tuple(t.shape) for n, t in some.items()} for some in (found, statistics_of(built)))
        if shapes != expected:
            odd = sorted(set(shapes.items()) ^ set(expected.items()))[0][0]
            raise CheckpointError(
                f"{self.weights} is no file of the statistics of {self.info['network']}: expected {expected.get(odd)} "
                f"for {odd}, got {shapes.get(odd)}. To make it, {how_to_make(self.identifier)}."
            )
        return built | found


class Published(Checkpoint):
    """Weights under a URL, fetched into the user's store when they are first needed."""

    def state_dict(self) -> dict:
        from brainscore_granularity.download import fetch

        advice = f"Fetch it by hand to {self.weights}, or {how_to_make(self.identifier)}."
        fetch(self.info["url"], self.weights, self.sha256, advice)
        return super().state_dict()


def statistics_of(state_dict: dict) -> dict:
    """The running means and variances of batch norm among a network's tensors."""
    return {name: t for name, t in state_dict.items() if name.endswith((".running_mean", ".running_var"))}


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


def versions() -> dict[str, str]:
    """Versions of the software that makes a checkpoint."""
    import platform

    import numpy
    import torch

    from brainscore_granularity import __version__

    return {
        "brainscore_granularity": __version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "torch": torch.__version__,
    }
