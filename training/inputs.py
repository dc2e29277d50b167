"""What a run is trained on: images packed at the network's size, and labels by name or from a file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from brainscore_granularity import networks
from brainscore_granularity.paths import home
from brainscore_granularity.progress import progress

from . import label_files, pack, packed, sources
from . import labels as rules
from .packed import Packed
from .recipe import Recipe


def images(data: Path, recipe: Recipe, images_per_class: int | None, subset_seed: int, broken: str) -> Packed:
    """The pack of the images, made at the network's size unless it is there."""
    size = networks.build(recipe.network, 2, 0).image_size
    if (data / "pack.json").exists():
        found = packed.load(data)
        if found.info["size"] != size:
            raise ValueError(
                f"{data} holds images of {found.info['size']} pixels, {recipe.network} takes {size}; give the images "
                "themselves as --data and they are packed anew"
            )
        if images_per_class:
            raise ValueError("--images-per-class chooses from images, not from a pack; give the images as --data")
        return found
    source = sources.find(data, images_per_class=images_per_class, seed=subset_seed)
    resize = round(size * 256 / 224) if size >= 128 else size  # small images are packed whole
    folder = home() / "packs" / f"{source.fingerprint[:12]}-{size}"
    finished = (folder / "pack.json").exists()

    if not finished:
        print(f"packing {len(source)} images into {folder}", file=sys.stderr)
    steps = 0 if finished else -(-len(source) // pack.BLOCK)
    with progress("packing", steps) as advance:
        found = pack.pack(
            source,
            folder,
            size,
            resize=resize,
            broken=broken,
            on_progress=lambda done, total: advance(f"{done} images"),
        )
    if found.info["broken"]:
        print(f"{found.info['broken']} images could not be read: {folder / 'broken.tsv'}", file=sys.stderr)
    return found


def numbers(source: str, k: tuple[int, ...]) -> tuple[int | None, ...]:
    """Numbers of classes to train on: those asked for, where the source leaves a choice."""
    return (None,) if source in ("native", "none") or not k else k


def labels(source: str, k: int | None, images: Packed, recipe: Recipe) -> tuple[str, np.ndarray, int]:
    """(short name, labels (n,) or (n, 2), number of classes)."""
    if source == "native":
        short, found, number = "native", np.asarray(images.labels), len(images.classes)
    elif source == "none":
        short, found, number = "none", np.zeros(len(images), np.int64), 1
    elif source == "random":
        if k is None:
            raise ValueError("random labels need the number of classes: --k 8")
        rules.power_of_two(k)
        short, found, number = "random", rules.random_balanced(len(images), k, seed=0), k
    else:
        path = _label_file(source, k, images)
        table = label_files.read(path, images.names)
        if k is not None and table.k != k:
            raise ValueError(f"{path} has {table.k} classes, asked: {k}")
        short, found, number = path.stem.split("_k")[0] if Path(source) == path else source, table.labels, table.k
    if recipe.objective == "auxiliary":
        coarse = recipe.auxiliary_k
        rules.power_of_two(coarse)
        if number % coarse or source == "native":
            raise ValueError(
                f"the auxiliary objective merges neighbouring classes of nested labels: {number} {short} classes "
                f"cannot be merged into {coarse}. Use labels from a source, such as own, and fewer auxiliary classes."
            )
        found = np.stack([found, found // (number // coarse)], axis=1)
    return short, np.ascontiguousarray(found, np.int64), number


def label_folder(images: Packed) -> Path:
    """Where the label tables of a pack are kept."""
    return home() / "labels" / images.fingerprint[:12]


def _label_file(source: str, k: int | None, images: Packed) -> Path:
    if Path(source).suffix in (".csv", ".parquet"):
        return Path(source)
    folder = label_folder(images)
    for suffix in (".csv", ".parquet"):
        if (path := folder / f"{source}_k{k}{suffix}").exists():
            return path
    there = ", ".join(sorted(p.stem for p in folder.glob("*_k*") if p.suffix in (".csv", ".parquet"))) or "nothing yet"
    raise ValueError(
        f"no labels {source}_k{k}.csv or .parquet in {folder} (there: {there}). Make them with `granularity labels`, "
        "give a file, or use native or random"
    )
