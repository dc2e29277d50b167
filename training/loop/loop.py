"""The training loop: each batch is one step of every network that shares it; no step waits for the device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from brainscore_granularity import networks

from ..recipe import Execution, Recipe
from ..rules.report import Report
from . import log, parallel
from .feed import Feed, normalise
from .learner import Learner, OutOfMemory
from .regress import as_targets, check_scores
from .run import Run
from .state import RunFolder
from .validation import HeldOut


def train(
    recipe: Recipe,
    images: np.ndarray,
    labels: np.ndarray,
    on_epoch: Callable[[int, float], None] | None = None,
    *,
    held_out: HeldOut | None = None,
    folder: Path | None = None,
    description: dict | None = None,
    start: dict[str, torch.Tensor] | None = None,
    execution: Execution | None = None,
    title: str | None = None,
) -> tuple[networks.Network, dict]:
    """Train one network.

    Parameters
    ----------
    images : (n, size, size, 3) uint8.
    labels : (n,) integers below ``recipe.k``; (n, 2), fine and coarse, for the auxiliary objective.
    on_epoch : called after each epoch with its number, from 1, and its mean loss.
    held_out : validation images, on which accuracy is measured after each epoch; the weights do not depend on them.
    folder : where the run is kept, so that the same call goes on after a crash; ``description`` goes with it.
    start : initial weights, for a curriculum and for adversarial fine-tuning.
    title : title of the progress bar; none by default.

    Returns
    -------
    network : in evaluation mode, on the CPU.
    metrics : {"train_loss": per epoch}; with held-out images also "validation_accuracy", at the end, and
        "validation_accuracy_by_epoch"; with ``execution.report`` also "report".
    """
    execution = execution or Execution()
    check_labels(labels, len(images), recipe)
    feed, run = prepare(recipe, images, labels, execution, start, folder, description, held_out)
    try:
        fit([run], feed, execution, on_epoch, title)
    finally:
        run.close()
    return run.finished()


def prepare(
    recipe: Recipe,
    images,
    labels: np.ndarray,
    execution: Execution,
    start: dict[str, torch.Tensor] | None = None,
    folder: Path | None = None,
    description: dict | None = None,
    held_out: HeldOut | None = None,
    feed: Feed | None = None,
) -> tuple[Feed, Run]:
    """The batches and the network of a run, ready for `fit`. Of several processes the first one saves and validates."""
    here = parallel.processes()
    feed = feed or Feed(images, recipe.data_stream, execution.place(), here)
    learner = Learner(recipe, feed.steps_per_epoch, feed.device, start, execution.compile, here)
    about = description or {"run_id": recipe.run_id(""), "recipe": asdict(recipe)}
    kept = RunFolder(folder, about) if folder and here.first else None
    report = _report(learner, feed, labels) if execution.report else None
    return feed, Run(learner, labels, kept, execution.snapshots_mb, held_out if here.first else None, report)


def _report(learner: Learner, feed: Feed, labels: np.ndarray) -> Report:
    """A report on one batch of images spread over the training set; the same in every process and after a crash."""
    some = np.linspace(0, len(feed.pixels) - 1, feed.batch_size).astype(int)
    inputs = normalise(torch.from_numpy(np.array(feed.pixels[some])).to(learner.device))
    return Report(learner, inputs, as_targets(np.asarray(labels)[some]).to(learner.device))


def fit(runs: list[Run], feed: Feed, execution: Execution, on_epoch=None, title: str | None = None) -> None:
    """Train several networks in one pass over their common batches, each from its current state.

    A run that diverges stops and stores the error in ``failed``; the error is raised once no other run is left.
    """
    first, last = min(run.learner.done for run in runs), max(run.learner.total for run in runs)
    # Set explicitly: otherwise MKL chooses the number of threads for each product, and thus the order of summation.
    torch.set_num_threads(torch.get_num_threads())
    meter, saved = log.Meter(), time.monotonic()
    with log.shown(title if feed.processes.first else None, last - first) as advance:
        note = ""
        for position, numbers, views in feed.batches(first, last):
            active = [run for run in runs if run.learner.done == position < run.learner.total and not run.failed]
            for run in active:
                run.attempt(_step, run, views, numbers, len(runs))
            meter.images += len(numbers) * len(active) * feed.processes.number
            ends = (position + 1) % feed.steps_per_epoch == 0
            if ends or (position + 1) % execution.check_steps == 0:
                speed = meter.read()
                losses = [loss for run in active if (loss := run.attempt(run.check, speed, ends)) is not None]
                if losses:
                    note = f"loss {np.mean(losses):.3f}, {speed:.0f} img/s{_accuracies(active)}"
                meter.read()  # so that the time of the check is not counted as training time
                _stop_without_survivors(runs)
            if ends and on_epoch:
                for run in active:
                    if not run.failed:
                        on_epoch(len(run.learner.losses), run.learner.losses[-1])
            if time.monotonic() - saved >= execution.save_seconds:
                for run in runs:
                    run.attempt(run.save)
                saved = time.monotonic()
            advance(note)
    for run in runs:
        run.attempt(run.save)
    _stop_without_survivors(runs)


def _stop_without_survivors(runs: list[Run]) -> None:
    if all(run.failed for run in runs):
        raise runs[0].failed


def _step(run: Run, views, numbers, together: int) -> None:
    try:
        run.step(views, numbers)
    except torch.OutOfMemoryError as error:
        run.learner.optimizer.zero_grad(set_to_none=True)
        fewer = f" Or train at most {together // 2} of the {together} networks at a time: --group {together // 2}."
        raise OutOfMemory(_what_fits(run, views, numbers) + (fewer if together > 1 else "")) from error


def _what_fits(run: Run, views, numbers) -> str:
    """Find the largest piece of the batch that fits, by halving it."""
    batch, piece = len(numbers), len(numbers) // 2
    message = f"a batch of {batch} images does not fit in the memory of {run.learner.device}"
    if run.learner.processes.number > 1:  # processes wait for each other, so one cannot try alone
        return f"{message}. Set accumulate to cut it in pieces, or start more processes. The state last saved is kept."
    while piece:
        try:
            if run.learner.device.type == "cuda":
                torch.cuda.empty_cache()
            run.learner.backward([v[:piece] for v in views], run.labels[numbers[:piece]], 1)
        except torch.OutOfMemoryError:
            piece //= 2
            continue
        finally:
            run.learner.optimizer.zero_grad(set_to_none=True)
        pieces = next(p for p in range(-(-batch // piece), batch + 1) if batch % p == 0)
        return (
            f"{message}; {piece} do. Set batch_size to {piece}, or accumulate to {pieces} to take the same batch in "
            "pieces. The state last saved is kept."
        )
    return f"{message}, nor does one image. Choose a smaller network or another device."


def _accuracies(runs: list[Run]) -> str:
    """Text for the progress bar: the last accuracy, or its range over several networks."""
    known = sorted(run.accuracies[-1] for run in runs if run.accuracies and run.accuracies[-1] is not None)
    if not known:
        return ""
    return f", validation {known[0]:.1%}" + (f" to {known[-1]:.1%}" if len(known) > 1 else "")


def check_labels(labels: np.ndarray, n_images: int, recipe: Recipe) -> None:
    """Raise unless every image has a label and every class is used; targets of a regression are real numbers."""
    if recipe.objective == "regress":
        return check_scores(labels, n_images, recipe)
    labels = np.asarray(labels)
    classes = (recipe.k,) if recipe.auxiliary_k is None else (recipe.k, recipe.auxiliary_k)
    shape = (n_images,) if len(classes) == 1 else (n_images, len(classes))
    if labels.shape != shape:
        raise ValueError(f"expected one label for each of {n_images} images, shape {shape}, got {labels.shape}")
    for k, column in zip(classes, labels.reshape(n_images, -1).T, strict=True):
        empty = np.setdiff1d(np.arange(k), column)
        if empty.size or column.min() < 0 or column.max() >= k:
            raise ValueError(
                f"labels must use every class 0..{k - 1}: found {column.min()}..{column.max()}, "
                f"{empty.size} classes have no image"
            )


@torch.no_grad()
def features(network: networks.Network, images: np.ndarray, layer: str | None = None, batch: int = 256):
    """Activations of one layer (default: the readout) for all images, (n, ...) float32."""
    network.eval()
    device = next(network.parameters()).device
    parts = [
        network.features(normalise(torch.from_numpy(np.array(images[i : i + batch])).to(device)), layer).cpu().numpy()
        for i in range(0, len(images), batch)
    ]
    return np.concatenate(parts)


def accuracy(network: networks.Network, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of images whose largest logit is that of their label."""
    return float((features(network, images, "head").argmax(axis=1) == labels).mean())
