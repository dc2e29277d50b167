"""Train many networks in one pass over the data: every K, seed and label source of a study in one job (a ladder).

Each batch is read, moved and augmented once, and every network takes a step on it. Each network has its own weights,
optimiser and random stream, and ends with the weights that it would have if it had been trained alone.
Networks can share a pass if they agree on the data stream: seed, batch size, augmentation, order and views.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from brainscore_granularity import networks

from ..recipe import Execution, Recipe
from . import loop, parallel
from .feed import Feed
from .learner import TrainingDiverged
from .run import Run
from .validation import HeldOut

# Bytes per weight: the weight, its gradient, two moments of AdamW and the running average, in float32.
BYTES_A_PARAMETER = 4 * 5
STEP_SHARE = 0.5  # share of the free memory kept for the activations of the one network that takes a step


@dataclass(frozen=True)
class Rung:
    """One network of a ladder."""

    name: str
    recipe: Recipe
    labels: np.ndarray
    folder: Path | None = None
    description: dict | None = None
    start: dict[str, torch.Tensor] | None = None
    held_out: HeldOut | None = None


class LadderFailed(RuntimeError):
    """Some networks of a ladder could not be trained; the others are finished."""


def train(
    rungs: list[Rung], images, execution: Execution | None = None, title: str | None = None, group: int | None = None
) -> dict[str, tuple[networks.Network, dict]]:
    """Train all rungs; {name: (network, metrics)}, each equal to ``loop.train`` of that rung alone.

    Parameters
    ----------
    images : (n, size, size, 3) uint8, or a pack.
    group : largest number of networks at a time; by default as many as fit in the memory of the device.
    """
    execution = execution or Execution()
    if repeated := sorted({r.name for r in rungs if sum(o.name == r.name for o in rungs) > 1}):
        raise ValueError(f"networks named twice: {', '.join(repeated)}")
    for rung in rungs:  # check all labels before any training
        loop.check_labels(rung.labels, len(images), rung.recipe)
    done, failed = {}, {}
    parts = groups(rungs, group or fitting(rungs, execution.place()))
    for i, part in enumerate(parts, 1):
        heading = title and (f"{title} ({i}/{len(parts)}, {len(part)} networks)")
        for name, result in _train_group(part, images, execution, heading).items():
            (failed if isinstance(result, Exception) else done)[name] = result
    if failed:
        raise LadderFailed(
            f"{len(failed)} of {len(rungs)} networks failed, the others are finished: "
            + "; ".join(f"{name}: {error}" for name, error in failed.items())
        )
    return done


def groups(rungs: list[Rung], most: int) -> list[list[Rung]]:
    """Groups of at most ``most`` rungs that can share a pass."""

    def stream(rung):
        return repr(rung.recipe.data_stream)

    shared = [list(members) for _, members in itertools.groupby(sorted(rungs, key=stream), stream)]
    return [members[i : i + most] for members in shared for i in range(0, len(members), most)]


def fitting(rungs: list[Rung], device: str) -> int:
    """Number of networks whose weights and optimisers fit on a GPU with the activations of one; on a CPU, all."""
    if torch.device(device).type != "cuda":
        return len(rungs)
    free = torch.cuda.mem_get_info(device)[0]
    sizes = {r.recipe.network: networks.build(r.recipe.network, r.recipe.k, 0) for r in rungs}
    largest = max(sum(p.numel() for p in network.parameters()) for network in sizes.values())
    return max(1, int(free * (1 - STEP_SHARE) // (largest * BYTES_A_PARAMETER)))


def split(rungs: list[Rung], parts: int) -> list[list[Rung]]:
    """Split a ladder over devices, evenly; networks with the same data stream stay together where possible."""
    ordered = [rung for part in groups(rungs, len(rungs)) for rung in part]
    return [list(part) for part in np.array_split(np.array(ordered, object), parts) if len(part)]


def train_on(
    devices: list[str], rungs: list[Rung], images, execution: Execution, group: int | None = None
) -> dict[str, tuple[networks.Network, dict]]:
    """Split a ladder over devices, one process each. With one device it runs here."""
    if len(devices) <= 1:
        return train(rungs, images, replace(execution, device=(devices or [None])[0]), "training", group)
    context = torch.multiprocessing.get_context("spawn")
    jobs = []
    for device, part in zip(devices, split(rungs, len(devices)), strict=False):
        ours, theirs = context.Pipe(duplex=False)
        arguments = (part, images, replace(execution, device=device), f"training on {device}", group, theirs)
        process = context.Process(target=_part, args=arguments, daemon=True)
        process.start()
        theirs.close()
        jobs.append((device, process, ours))
    done, errors = {}, []
    for device, process, ours in jobs:
        try:
            status, content = ours.recv()
        except EOFError:
            process.join()
            status, content = "failed", f"the process ended with exit code {process.exitcode}"
        process.join()
        if status == "failed":
            errors.append(f"{device}: {content}")
        else:
            done |= content
    if errors:
        raise LadderFailed("; ".join(errors))
    return {name: (_rebuilt(rung, done[name][0]), done[name][1]) for name, rung in ((r.name, r) for r in rungs)}


def _part(rungs, images, execution, title, group, pipe) -> None:
    """Train the rungs of one device, in a separate process."""
    try:
        # numpy arrays: tensors would be passed in shared memory, which is freed when this process ends
        done = {
            name: ({n: t.numpy() for n, t in network.state_dict().items()}, metrics)
            for name, (network, metrics) in train(rungs, images, execution, title, group).items()
        }
        pipe.send(("done", done))
    except Exception as error:
        pipe.send(("failed", f"{type(error).__name__}: {error}"))
        sys.exit(1)


def _rebuilt(rung: Rung, tensors: dict[str, np.ndarray]) -> networks.Network:
    network = networks.build(rung.recipe.network, rung.recipe.k, rung.recipe.seed)
    network.load_state_dict({name: torch.from_numpy(t) for name, t in tensors.items()})
    return network.eval()


def _train_group(rungs: list[Rung], images, execution: Execution, title) -> dict:
    feed = Feed(images, rungs[0].recipe.data_stream, execution.place(), parallel.processes())
    runs: list[Run] = []
    try:
        for rung in rungs:
            kept = rung.folder, rung.description, rung.held_out
            runs.append(loop.prepare(rung.recipe, images, rung.labels, execution, rung.start, *kept, feed)[1])
        try:
            loop.fit(runs, feed, execution, title=title)
        except TrainingDiverged:
            pass  # it is kept in the ``failed`` of every run
    finally:
        for run in runs:
            run.close()
    return {rung.name: run.failed or run.finished() for rung, run in zip(rungs, runs, strict=True)}
