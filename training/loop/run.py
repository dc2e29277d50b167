"""A run: one network, its labels, and the folder where its state, curve and snapshots are kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from brainscore_granularity import networks

from ..rules.report import Report, by_layer
from . import log, parallel
from .learner import Learner, TrainingDiverged
from .regress import as_targets
from .state import RunFolder, snapshot_steps
from .validation import HeldOut, accuracy


class Run:
    """One network, its labels, and the folder where its state is kept, if any."""

    def __init__(
        self,
        learner: Learner,
        labels: np.ndarray,
        folder: RunFolder | None = None,
        snapshots_mb: float = 0,
        held_out: HeldOut | None = None,
        report: Report | None = None,
    ):
        self.learner, self.folder, self.held_out, self.report = learner, folder, held_out, report
        self.reports: list[dict] = []  # after each epoch
        self.accuracies: list[float | None] = []  # on the held-out images, after each epoch
        self.labels = as_targets(labels).to(learner.device)
        self.snapshots = set(snapshot_steps(learner.total, learner.network, snapshots_mb)) if folder else set()
        self.saved = None  # number of steps done at the last save
        self.failed: TrainingDiverged | None = None
        if kept := parallel.from_first(lambda: folder and folder.load()):
            learner.load(*kept)
            self.accuracies = kept[1].get("accuracies", [None] * len(learner.losses))
            self.reports = kept[1].get("reports", [])
            self.saved = learner.done
        self.curve = log.Curve(folder.path, learner.done) if folder else None
        if folder and self.saved is None and 0 in self.snapshots:
            folder.snapshot(0, learner.weights())

    def attempt(self, act: Callable, *arguments):
        """Call a function; if the loss is NaN or infinite, this run ends and the others go on."""
        try:
            return None if self.failed else act(*arguments)
        except TrainingDiverged as error:
            kept = f". {self.folder.path} keeps the state after step {self.saved or 0}" if self.folder else ""
            self.failed = TrainingDiverged(f"{error}{kept}")
            return None

    def step(self, views, numbers) -> None:
        learner = self.learner
        learner.step(views, self.labels[numbers])
        if learner.done in self.snapshots:
            learner.verify()
            self.folder.snapshot(learner.done, learner.weights())

    def check(self, speed: float, ends: bool) -> float | None:
        """Mean loss since the last check, added to the curve; ``ends``: also end the epoch."""
        learner = self.learner
        loss, share = learner.check(), None
        if ends:
            learner.end_epoch()
            share = accuracy(learner, self.held_out) if self.held_out else None
            self.accuracies.append(share)
            if self.report:
                self.reports.append(self.report(learner))
        if loss is not None and self.curve:
            rate = learner.recipe.learning_rate * learner.rate(learner.done - 1)
            epoch = -(-learner.done // learner.steps_per_epoch)
            self.curve.add(learner.done, epoch, loss, rate, speed, share)
        return loss

    def save(self) -> None:
        """Save the state, after checking that its losses are finite."""
        self.learner.verify()
        if self.folder and self.saved != self.learner.done:
            tensors, position = self.learner.state()
            self.folder.save(tensors, {**position, "accuracies": self.accuracies, "reports": self.reports})
            self.saved = self.learner.done

    def finished(self) -> tuple[networks.Network, dict]:
        """The trained network on the CPU, in evaluation mode, and its metrics."""
        metrics: dict = {"train_loss": self.learner.losses}
        if self.held_out:
            last = self.accuracies[-1] if self.accuracies else None
            metrics["validation_accuracy"] = accuracy(self.learner, self.held_out) if last is None else last
            metrics["validation_accuracy_by_epoch"] = self.accuracies
        if self.report:
            metrics["report"] = by_layer(self.reports)
        return self.learner.result(), metrics

    def close(self) -> None:
        if self.folder:
            self.curve.close()
            self.folder.close()
