"""The embedded study: which networks are trained on the world, on which labels, and in which order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from brainscore_granularity.training.labels import files as label_files
from brainscore_granularity.training.labels import rule as label_rules
from brainscore_granularity.training.loop import fitted, loop
from brainscore_granularity.training.recipe import Recipe
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.weights.identifiers import FITTED, UNTRAINED

from . import images as world

LADDER = (2, 4, 8, 16, 64)
SEEDS = (1, 2)
LABEL_SOURCE = "granularity_world_native_s0"  # a native-class network whose features are cut into classes
# It stops early and without label smoothing: both long training and smoothing push all classes equally far apart,
# and a geometry without hierarchy has no meaningful first component.
SOURCE_RECIPE = Recipe("mini", "native", 64, seed=0, epochs=4, label_smoothing=0.0)
TRAINING_IMAGES = (96, 1)  # images per fine class, seed
VALIDATION_IMAGES = (8, 2)
MODELS = tuple(
    f"granularity_world_{condition}_s{seed}"
    for condition in (UNTRAINED, FITTED, *(f"own_k{k}" for k in LADDER), "native")
    for seed in SEEDS
)


@dataclass(frozen=True)
class Job:
    """One network to train."""

    identifier: str
    recipe: Recipe
    labels: np.ndarray
    validation_labels: np.ndarray


class Data:
    """Training and validation images, drawn when first needed."""

    @cached_property
    def training(self) -> world.Images:
        return world.draw(*TRAINING_IMAGES)

    @cached_property
    def validation(self) -> world.Images:
        return world.draw(*VALIDATION_IMAGES)

    @cached_property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.training.pixels.tobytes()).hexdigest()[:16]


def train(store: Path, on_epoch: Callable[[str], None] | None = None) -> list[str]:
    """Train every network of the study that the store lacks; returns the ids of those trained."""
    data, trained = Data(), []
    for job in jobs(store, data):
        if make(store, job, data, on_epoch):
            trained.append(job.identifier)
    return trained


def total_epochs() -> int:
    """Epochs of the whole study, for a progress bar."""
    return SOURCE_RECIPE.epochs + Recipe.epochs * len(SEEDS) * (len(LADDER) + 1)


def jobs(store: Path, data: Data) -> Iterator[Job]:
    """All networks of the study; the source of the labels comes first and must be trained before the next."""
    native = data.training.fine, data.validation.fine
    yield Job(LABEL_SOURCE, SOURCE_RECIPE, *native)
    training, validation = own_labels(store, data)
    for seed in SEEDS:
        for start in (UNTRAINED, FITTED):
            yield Job(f"granularity_world_{start}_s{seed}", Recipe("mini", start, 64, seed, epochs=0), *native)
        for k in LADDER:
            recipe = Recipe("mini", "own", k, seed)
            yield Job(f"granularity_world_own_k{k}_s{seed}", recipe, training[k], validation[k])
        yield Job(f"granularity_world_native_s{seed}", Recipe("mini", "native", 64, seed), *native)


def own_labels(store: Path, data: Data) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Labels of the training and the validation images, cut along the label source's principal components."""

    source = checkpoints.read(store, LABEL_SOURCE)
    network = source.network()
    training = label_rules.unit_length(loop.features(network, data.training.pixels))
    validation = label_rules.unit_length(loop.features(network, data.validation.pixels))
    pca = label_rules.fit_pca(lambda: [training])
    scores = pca.scores(training)
    medians = np.median(scores, axis=0)
    info = {"source": "own", "data": data.fingerprint, "rule": "pca", "encoder": f"{LABEL_SOURCE}.{network.readout}",
            "weights": source.sha256}  # fmt: skip
    label_files.write_pca(store.parent / "labels" / data.fingerprint[:12] / "own_pca.safetensors", pca, medians, info)
    return (
        label_rules.nested_labels(scores, LADDER, medians),
        label_rules.nested_labels(pca.scores(validation), LADDER, medians),
    )


def make(store: Path, job: Job, data: Data, on_epoch: Callable[[str], None] | None = None) -> bool:
    """Train one network unless the store has it, intact and from the same recipe, data and labels."""
    labels_hash = hashlib.sha256(np.asarray(job.labels, np.int64).tobytes()).hexdigest()[:16]
    run_id = job.recipe.run_id(f"{data.fingerprint}-{labels_hash}")
    if (existing := _read_or_none(store, job.identifier)) and existing.info.get("run_id") == run_id:
        if existing.is_intact():
            if on_epoch:
                for _ in range(job.recipe.epochs):
                    on_epoch(job.identifier)
            return False

    network, metrics = loop.train(
        job.recipe,
        data.training.pixels,
        job.labels,
        on_epoch=(lambda epoch, loss: on_epoch(job.identifier)) if on_epoch else None,
    )
    if job.recipe.labels == FITTED:
        fitted.fit_statistics(network, data.training.pixels)
    metrics["validation_accuracy"] = loop.accuracy(network, data.validation.pixels, job.validation_labels)
    info = {
        "network": job.recipe.network,
        "classes": job.recipe.k,
        "recipe": asdict(job.recipe),
        "run_id": run_id,
        "data": {"world": data.fingerprint, "labels": labels_hash, "images": len(job.labels)},
        "metrics": metrics,
        "versions": checkpoints.versions(),
        "simulated": True,
    }
    checkpoints.save(store, job.identifier, network.state_dict(), info, half=True)
    return True


def _read_or_none(store: Path, identifier: str):
    try:
        return checkpoints.read(store, identifier)
    except checkpoints.CheckpointError:  # damaged: train it again
        return None
