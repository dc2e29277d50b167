"""One call from a packed dataset to label tables on disk: what `granularity labels` runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from . import files, sources
from . import rule as rules
from .features import spool

# What each kind of source needs and may be given; anything else is an error, because nothing would read it.
NEEDS = {"own": ("checkpoint",), "wordnet": ("is_a", "depth"), "random": ("seed",), "permuted": ("seed", "tables")}
MAY = {"own": ("store",), **{source: ("weights",) for source in sources.PRETRAINED}}


class Images(Protocol):
    """A packed dataset: images in a fixed order, with names and a hash of it all."""

    pixels: np.ndarray  # (images, size, size, 3) uint8
    names: Sequence[str]  # ``<class>/<file>``
    fingerprint: str


def make(
    source: str,
    images: Images,
    folder: Path,
    *,
    ladder: Iterable[int] = rules.LADDER,
    weights: Path | None = None,
    checkpoint: str | None = None,
    store: Path | None = None,
    is_a: Path | None = None,
    depth: int | None = None,
    tables: Sequence[Path] | None = None,
    seed: int | None = None,
    suffix: str = ".csv",
    extremes: int = 5,
    held_out: Images | None = None,
    held_out_folder: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
    **spooling,
) -> list[Path]:
    """Label every image and write a table for each number of classes; returns the paths of the training tables.

    Parameters
    ----------
    source : one of `sources.SOURCES`.
    folder : of the tables, ``<source>_k<classes>.csv``; features and principal components go there too.
    ladder : numbers of classes; WordNet's follows from the depth, that of permuted labels from the tables.
    weights : file of a pretrained network, by default the publishing library's cache.
    checkpoint, store : a network of our own, and where it is kept.
    is_a, depth : the WordNet taxonomy, and how far below its root classes are merged.
    tables : label tables to permute.
    extremes : images shown at both ends of each component; 0 for none.
    held_out, held_out_folder : validation images, labelled by the same rule (the same components cut at the same
        places, the same merged classes), and the folder of their tables. Chance has no rule, and gives them none.
    say : told the class sizes and the images at the ends of the components.
    spooling : ``batch_size``, ``precision`` and ``device`` of `label_features.spool`.
    """
    given = {"weights": weights, "checkpoint": checkpoint, "store": store, "is_a": is_a, "depth": depth}
    given |= {"tables": tables, "seed": seed, **spooling}
    _check_settings(source, {name for name, value in given.items() if value not in (None, [], ())})
    ladder = tuple(ladder)
    if source in sources.FEATURE_SOURCES:
        for k in ladder:
            rules.power_of_two(k)  # now, because the features may take hours
    folder, info = Path(folder), {"source": source, "data": images.fingerprint}
    beside = {}  # the same for the validation images
    if source == "wordnet":
        labels, classes = sources.from_wordnet(images.names, is_a, depth)
        info |= {"rule": "wordnet", "depth": depth, "classes": classes}
        found = {f"wordnet_depth{depth}": (labels, info)}
        if held_out:  # numbered together, because they may lack classes
            both, _ = sources.from_wordnet([*images.names, *held_out.names], is_a, depth)
            beside = {f"wordnet_depth{depth}": both[len(images.names) :]}
    elif source == "random":
        by_k = sources.at_random(len(images.names), ladder, seed)
        found = {f"random_k{k}_s{seed}": (by_k[k], {**info, "rule": "random", "seed": seed}) for k in by_k}
    elif source == "permuted":
        found = {}
        for table in map(Path, tables):
            labels = rules.permuted(files.read(table, images.names).labels, seed)
            found[f"permuted_{table.stem}_s{seed}"] = (
                labels,
                {**info, "rule": "permuted", "of": table.name, "seed": seed},
            )
    else:
        encoder = sources.encoder(source, weights=weights, checkpoint=checkpoint, store=store)
        stored = spool(
            encoder, images.pixels, images.names, images.fingerprint, folder / f"{source}_features", say=say, **spooling
        )
        fitted = sources.from_features(stored, ladder)
        info |= {"rule": "pca", "encoder": encoder.name, "weights": encoder.fingerprint}
        files.write_pca(folder / f"{source}_pca.safetensors", fitted.pca, fitted.medians, info)
        found = {f"{source}_k{k}": (labels, info) for k, labels in fitted.by_k.items()}
        if held_out:
            to = Path(held_out_folder) / f"{source}_features"
            others = spool(encoder, held_out.pixels, held_out.names, held_out.fingerprint, to, say=say, **spooling)
            beside = {f"{source}_k{k}": labels for k, labels in sources.apply(fitted, others).items()}
        if extremes:
            _say_extremes(fitted, images.names, extremes, say)
    for name, labels in beside.items():
        k = int(found[name][0].max()) + 1
        about = {**info, "data": held_out.fingerprint, "of": images.fingerprint, "k": k}
        files.write(Path(held_out_folder) / f"{name}{suffix}", held_out.names, labels, about, every_class=False)
    if beside:
        say(f"{held_out_folder}: the same for {len(held_out.names)} validation images")
    return [_write(folder / f"{name}{suffix}", images.names, *entry, say) for name, entry in found.items()]


def _check_settings(source, given):
    if source not in sources.SOURCES:
        raise ValueError(f"unknown label source {source!r}; known: {', '.join(sources.SOURCES)}")
    needs = NEEDS.get(source, ())
    if missing := [name for name in needs if name not in given]:
        raise ValueError(f"labels from {source} need {' and '.join(missing)}")
    may = {*needs, *MAY.get(source, ())}
    if source in sources.FEATURE_SOURCES:
        may |= {"batch_size", "precision", "device"}
    if unused := sorted(given - may):
        raise ValueError(f"labels from {source} do not use {', '.join(unused)}; they use {', '.join(sorted(may))}")


def _write(path, names, labels, info, say):
    files.write(path, names, labels, info)
    sizes = files.class_sizes(labels, int(labels.max()) + 1)
    say(
        f"{path}: {sizes['classes']} classes of {sizes['smallest']} to {sizes['largest']} images (median "
        f"{sizes['median']:g}), entropy {sizes['entropy_bits']:.2f} of {np.log2(sizes['classes']):.2f} bits"
    )
    return path


def _say_extremes(fitted, names, count, say):
    share = fitted.pca.variances / fitted.pca.variances.sum()
    for number, (low, high) in enumerate(sources.pc_extremes(fitted.scores, names, count)):
        say(f"component {number + 1} ({share[number]:.1%} of the variance)")
        say(f"  low:  {', '.join(low)}")
        say(f"  high: {', '.join(high)}")
