"""Packing against a plain decode loop, and augmentation against per-image torchvision transforms.

    python -m bench.training_data --data FOLDER           every row
    python -m bench.training_data --data FOLDER packing   some rows, by the start of their names

FOLDER holds images or zips of them, 64 pixels a side for the augmentation rows, such as Tiny-ImageNet. Both sides of
a row take turns in one run on the same images and all cores, process start included; the median turn
counts. One line a row: what, against what, images/s of both, their ratio, and the ratio that was asked for.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch
from brainscore_granularity.training.augment.batches import Augmentation
from brainscore_granularity.training.data import pack, sources
from PIL import Image
from torchvision import transforms

from brainscore_granularity.networks import IMAGENET_MEAN, IMAGENET_STD

CORES = len(os.sched_getaffinity(0))
TURNS = 5
BATCH = 128
NORMALISE = [transforms.ToTensor(), transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD)]
# Ours, what a training script commonly does instead, and the ratio asked for: the whole step has to gain 2.5x.
AUGMENTATIONS = {
    "flip": (Augmentation(), [transforms.RandomHorizontalFlip()], 2.5),
    "shift": (
        Augmentation(crop_padding=4),
        [transforms.RandomCrop(64, 4, padding_mode="symmetric"), transforms.RandomHorizontalFlip()],
        2.5,
    ),
    "rotation": (
        Augmentation(rotation=10),
        [transforms.RandomHorizontalFlip(), transforms.RandomRotation(10, transforms.InterpolationMode.BILINEAR)],
        2.5,
    ),
    "resized": (
        Augmentation(random_resized_crop=(0.2, 1), colour=0.4),
        [
            transforms.RandomResizedCrop(64, (0.2, 1)),
            transforms.RandomHorizontalFlip(),
            transforms.ColorJitter(0.4, 0.4, 0.4),
        ],
        2.5,
    ),
    "randaugment": (
        Augmentation(randaugment=2),
        [
            transforms.RandomHorizontalFlip(),
            transforms.RandAugment(interpolation=transforms.InterpolationMode.BILINEAR),
        ],
        2.5,
    ),
}


def in_turns(theirs, ours, turns: int = TURNS) -> tuple[float, float]:
    """Median seconds of both sides; turns alternate, so that both meet the same other load on the machine."""
    seconds = ([], [])
    for _ in range(turns):
        for times, function in zip(seconds, (theirs, ours), strict=True):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    return float(np.median(seconds[0])), float(np.median(seconds[1]))


def line(what: str, against: str, n: int, theirs: float, ours: float, asked: float) -> None:
    ratio = theirs / ours
    print(
        f"{what} | {against}: {n / theirs:,.0f} images/s | ours: {n / ours:,.0f} images/s | {ratio:.2f}x "
        f"(asked {asked:g}x: {'reached' if ratio >= asked else 'NOT reached'})",
        flush=True,
    )


_shared = None


def _decode(rows) -> int:
    source = _shared
    return sum(np.asarray(Image.open(io.BytesIO(source.read(i))).convert("RGB"))[0, 0, 0] for i in rows)


def _transform(rows) -> float:
    images, transform = _shared
    torch.set_num_threads(1)
    return sum(float(transform(images[i])[0, 0, 0]) for i in rows)


def on_all_cores(function, shared, n: int) -> None:
    """A plain loop in one process a core; only a number travels back, which flatters it."""
    global _shared
    _shared = shared
    with ProcessPoolExecutor(CORES, get_context("fork")) as pool:
        list(pool.map(function, np.array_split(np.arange(n), 8 * CORES)))


def packing(source: sources.Source) -> None:
    size = Image.open(io.BytesIO(source.read(0))).height

    def ours():
        with tempfile.TemporaryDirectory() as folder:
            pack.pack(source, folder, size)

    theirs, ours = in_turns(lambda: on_all_cores(_decode, source, len(source)), ours)
    line(f"packing {len(source):,} images", f"PIL decode loop, {CORES} cores", len(source), theirs, ours, 0.9)


def augmentation(name: str, source: sources.Source) -> None:
    ours, theirs, asked = AUGMENTATIONS[name]
    images = [Image.open(io.BytesIO(source.read(i))).convert("RGB") for i in range(min(len(source), 2048))]
    pixels = torch.from_numpy(np.stack([np.asarray(image) for image in images]))
    transform = transforms.Compose([*theirs, *NORMALISE])
    generator = torch.Generator().manual_seed(0)
    torch.set_num_threads(CORES)

    def batches():
        for start in range(0, len(pixels), BATCH):
            ours(pixels[start : start + BATCH], generator)

    batches()
    seconds = in_turns(lambda: on_all_cores(_transform, (images, transform), len(images)), batches)
    what = f"augmentation '{name}' at {pixels.shape[1]} px, batch {BATCH}"
    line(what, f"torchvision per PIL image, {CORES} cores", len(images), *seconds, asked)


def gpu(source: sources.Source) -> None:
    what = "augmentation flip + rotation + RandAugment on the GPU at 224 px, batch 256"
    if not torch.cuda.is_available():
        print(f"{what} | not measured (no GPU)")
        return
    augment, generator = Augmentation(rotation=10, randaugment=2), torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (256, 224, 224, 3), dtype=torch.uint8, device="cuda")
    for timed in (False, True):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(20):
            augment(pixels, generator)
        torch.cuda.synchronize()
        if timed:
            print(f"{what} | {20 * 256 / (time.perf_counter() - start):,.0f} images/s, {torch.cuda.get_device_name()}")


def main() -> None:
    rows = {"packing": packing, **{name: None for name in AUGMENTATIONS}, "gpu": gpu}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of images, or zip, or folder of zips")
    parser.add_argument("--images-per-class", type=int, default=100, help="of each class (default 100)")
    parser.add_argument("rows", nargs="*", default=[""], help=f"some of {', '.join(rows)}")
    options = parser.parse_args()
    source = sources.find(options.data, images_per_class=options.images_per_class)
    for name, row in rows.items():
        if name.startswith(tuple(options.rows)):
            row(source) if row else augmentation(name, source)


if __name__ == "__main__":
    main()
