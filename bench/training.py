"""Training speed against what people run today: both sides in one run, on the same images.

    python -m bench.training --data /path/to/tiny_imagenet            all rows
    python -m bench.training --data /path/to/tiny_imagenet --rows ladder

The data folder holds the Tiny-ImageNet zips. Each row prints one line. "Plain" is the usual loop: an image folder,
torchvision transforms image by image in a 2-worker DataLoader, float32, ``.item()`` a step. Start-up, packing and the
first steps are outside the timed part on both sides, and the two sides take turns, because clocks and neighbours
change. ``OMP_WAIT_POLICY=PASSIVE`` matters where cores are shared.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from brainscore_granularity.training import hardware
from brainscore_granularity.training.data import pack, sources
from brainscore_granularity.training.labels.rule import random_balanced
from brainscore_granularity.training.loop import ladder, loop
from brainscore_granularity.training.loop.feed import Feed
from brainscore_granularity.training.loop.learner import Learner
from brainscore_granularity.training.loop.run import Run
from brainscore_granularity.training.recipe import Execution
from brainscore_granularity.training.recipes import RULE_SETTINGS, named
from torch.nn import functional as F

from brainscore_granularity import networks

BATCH, STEPS, WARM, ROUNDS = 128, 8, 2, 3
IMAGES_PER_CLASS = 8
# float32 where the processor only imitates bfloat16, as `granularity train` advises there
PRECISION = "float32" if hardware.emulates_bfloat16(Execution().place()) else "bfloat16"
RECIPE = named("tiny", labels="native", k=200, seed=1, batch_size=BATCH, epochs=100, precision=PRECISION)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the Tiny-ImageNet zips")
    parser.add_argument("--rows", nargs="*", default=list(ROWS), choices=list(ROWS))
    options = parser.parse_args()
    source = sources.find(options.data, images_per_class=IMAGES_PER_CLASS)
    device = Execution().place()
    where = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"{where}; torch {torch.__version__}; medians")
    print(f"{RECIPE.network} 64 px, {PRECISION}, batch {BATCH}, {len(source)} images")
    with tempfile.TemporaryDirectory() as folder:
        packed = pack.pack(source, Path(folder, "pack"), 64)
        for row in options.rows:
            ROWS[row](source, packed, Path(folder), device)


def against_plain(source, packed, folder: Path, device: str) -> None:
    """One network: images a second of the plain loop and of ours."""
    files = folder / "images"
    for i, name in enumerate(source.names):
        path = files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read(i))
    theirs, ours = _in_turn(lambda: plain(files, device), lambda: alone(packed, device))
    line("train", "plain fp32 loop, per-image transforms, 2 workers", theirs, ours, 2.5)


def against_in_turn(source, packed, folder: Path, device: str) -> None:
    """Eight networks together against the same eight one after the other, whole runs of one epoch each."""
    rungs = [
        ladder.Rung(f"k{k}s{s}", replace(RECIPE, k=k, seed=s, epochs=1), random_balanced(len(packed), k, seed=0))
        for s in (1, 2)
        for k in (2, 8, 32, 64)
    ]
    images = len(rungs) * (len(packed) // BATCH) * BATCH
    execution = Execution(device=device)

    def in_turn():
        start = time.perf_counter()
        for rung in rungs:
            loop.train(rung.recipe, packed, rung.labels, execution=execution)
        return images / (time.perf_counter() - start)

    def together():
        start = time.perf_counter()
        ladder.train(rungs, packed, execution)
        return images / (time.perf_counter() - start)

    theirs, ours = _in_turn(in_turn, together)
    line("ladder of 8", "8 runs in turn, ours", theirs, ours, 3.0 if device == "cuda" else None)


def against_fixed_batch(source, packed, folder: Path, device: str) -> None:
    """The share of the time that is the step itself: ours against the same step on one batch that never changes."""

    def fixed():
        learner = Learner(RECIPE, STEPS, device)
        views = [torch.randn(BATCH, 3, 64, 64, device=device).contiguous(memory_format=torch.channels_last)]
        targets = torch.arange(BATCH, device=device) % RECIPE.k
        return _timed(lambda: learner.step(views, targets), device)

    theirs, ours = _in_turn(fixed, lambda: alone(packed, device))
    line("train", "same step on one fixed batch", theirs, ours, 0.85 if device == "cuda" else None)


def rules(source, packed, folder: Path, device: str) -> None:
    """A step of each learning rule against a step of backpropagation, on one batch of 32-pixel images."""

    def steps(rule: str) -> float:
        learner = Learner(named("learning_rules", k=10, rule=rule), STEPS, device)
        generator = torch.Generator(device).manual_seed(0)
        views = [torch.randn(BATCH, 3, 32, 32, device=device, generator=generator)]
        targets = torch.arange(BATCH, device=device) % 10
        return _timed(lambda: learner.step(views, targets), device)

    inference = RULE_SETTINGS["predictive_coding"]["inference_steps"]
    asked = {"feedback_alignment": 1 / 1.2, "predictive_coding": 1 / (2 * inference), "stdp": None}
    for rule, least in asked.items():
        theirs, ours = _in_turn(lambda: steps("backprop"), lambda rule=rule: steps(rule))
        line(rule, "backpropagation", theirs, ours, least)


def alone(packed, device: str) -> float:
    """Images a second of our loop: reading, augmentation, step."""
    feed = Feed(packed, RECIPE.data_stream, device)
    learner = Learner(RECIPE, feed.steps_per_epoch, device)
    run = Run(learner, packed.labels)
    batches = feed.batches(0, WARM + STEPS)

    def step():
        _, numbers, views = next(batches)
        run.step(views, numbers)

    try:
        return _timed(step, device)
    finally:
        batches.close()


def plain(files: Path, device: str) -> float:
    """Images a second of the usual loop."""
    from torchvision import datasets, transforms

    transform = transforms.Compose(
        [
            transforms.RandomHorizontalFlip(),
            transforms.RandomRotation(10),
            transforms.ToTensor(),
            transforms.Normalize(networks.IMAGENET_MEAN, networks.IMAGENET_STD),
        ]
    )
    loader = torch.utils.data.DataLoader(
        datasets.ImageFolder(files, transform), BATCH, shuffle=True, num_workers=2, drop_last=True
    )
    network = networks.build(RECIPE.network, RECIPE.k, 1).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-3)
    batches = iter(loader)

    def step():
        images, targets = next(batches)
        loss = F.cross_entropy(network(images.to(device)), targets.to(device), label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        loss.item()

    return _timed(step, device)


def _timed(step, device: str) -> float:
    for _ in range(WARM):
        step()
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(STEPS):
        step()
    if device == "cuda":
        torch.cuda.synchronize()
    return STEPS * BATCH / (time.perf_counter() - start)


def _in_turn(theirs, ours) -> tuple[float, float]:
    """Medians of a few rounds, the two sides one after the other in each."""
    rounds = [(theirs(), ours()) for _ in range(ROUNDS)]
    return tuple(statistics.median(side) for side in np.transpose(rounds))


def line(what: str, against: str, theirs: float, ours: float, asked: float | None) -> None:
    """One row: images a second of both, their ratio, and the ratio that was asked for."""
    ratio = ours / theirs
    reach = f" (asked {asked:g}x: {'reached' if ratio >= asked else 'NOT reached'})" if asked else ""
    print(f"{what} | {against}: {theirs:.0f} img/s | ours: {ours:.0f} img/s | {ratio:.2f}x{reach}", flush=True)


ROWS = {"plain": against_plain, "fixed": against_fixed_batch, "ladder": against_in_turn, "rules": rules}

if __name__ == "__main__":
    main()
