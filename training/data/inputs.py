"""The training images of a run, packed at the network's input size, and its validation images."""

from __future__ import annotations

from pathlib import Path

from brainscore_granularity import networks
from brainscore_granularity.paths import home
from brainscore_granularity.progress import progress, say

from ..recipe import Recipe
from . import pack, packed, sources
from .packed import Packed

VALIDATION_SPLITS = ("val", "valid", "validation", "test")


def images(data: Path, recipe: Recipe, images_per_class: int | None, subset_seed: int, broken: str) -> Packed:
    """The pack of the images at the network's input size; made if it does not exist."""
    return for_network(data, recipe.network, images_per_class, subset_seed, broken)


def for_network(
    data: Path, network: str, images_per_class: int | None = None, subset_seed: int = 0, broken: str = "fatal"
) -> Packed:
    """Like `images`, for the name of an architecture."""
    size = networks.build(network, 2, 0).image_size
    if (data / "pack.json").exists():
        found = packed.load(data)
        if found.info["size"] != size:
            raise ValueError(
                f"{data} holds images of {found.info['size']} pixels, {network} takes {size}; give the images "
                "themselves as --data, and they are packed again"
            )
        if images_per_class:
            raise ValueError("--images-per-class chooses from images, not from a pack; give the images as --data")
        return found
    return _packed(sources.find(data, images_per_class=images_per_class, seed=subset_seed), size, broken)


def validation(data: Path, training: Packed, choice: str, broken: str) -> Packed | None:
    """The pack of all validation images, at the size of the training images; None without any.

    choice : ``auto``, the first of `VALIDATION_SPLITS` that the data has; the name of a split; or ``none``.
    """
    if choice == "none":
        return None
    if (data / "pack.json").exists():
        if choice == "auto":
            return None
        raise ValueError(f"{data} is a pack, which has no split {choice!r}; give the images themselves as --data")
    source = _beside(data) if choice == "auto" else sources.find(data, split=choice)
    if source is None:
        return None
    if strange := sorted({*source.classes} - {*training.classes}):
        message = f"validation images of {len(strange)} classes that the training images lack ({strange[0]})"
        if choice == "auto":
            say(f"no validation: {message}")
            return None
        raise ValueError(f"{message}; choose another split, or --validation none")
    found = _packed(source, training.info["size"], broken)
    if found.fingerprint == training.fingerprint:
        raise ValueError(f"split {choice!r} is the training split; choose another one, or --validation none")
    return found


def _beside(data: Path) -> sources.Source | None:
    try:
        return sources.find(data, split=VALIDATION_SPLITS[0])
    except sources.NoSplit as error:
        there = [split for split in VALIDATION_SPLITS if split in error.splits]
        return sources.find(data, split=there[0]) if there else None


def _packed(source: sources.Source, size: int, broken: str) -> Packed:
    resize = round(size * 256 / 224) if size >= 128 else size  # small images are not cropped
    folder = home() / "packs" / f"{source.fingerprint[:12]}-{size}"
    finished = (folder / "pack.json").exists()

    if not finished:
        say(f"packing {len(source)} images into {folder}")
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
        say(f"{found.info['broken']} images could not be read: {folder / 'broken.tsv'}")
    return found
