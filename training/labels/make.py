"""Make label tables on disk from a packed dataset; `granularity labels` runs this."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from ..data import inputs
from ..recipes import named
from . import chosen, files, merged, sources
from . import rule as rules
from . import scores as score_files
from .features import spool

# Settings that each kind of source needs and may have; any other is an error, because it would not be used.
NEEDS = {
    **{"own": ("checkpoint",), "wordnet": ("is_a",), "random": ("seed",), "permuted": ("seed", "tables")},
    **{"merged": ("seed",), "untrainedpcs": ("seed", "network")},
}
MAY = {
    **{"own": ("store",), "wordnet": ("depth",)},
    **{source: ("weights",) for source in (*sources.PRETRAINED, *sources.FEATURES_OF)},
}


class Images(Protocol):
    """A packed dataset: images in a fixed order, with their names and a hash."""

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
    network: str | None = None,
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
    folder : for the tables, ``<source>_k<classes>.csv``, the features and the principal components.
    ladder : numbers of classes. For permuted labels they come from the tables, for WordNet from the depth if given.
    weights : file of a pretrained network; by default the one in the cache of the library that publishes it.
    checkpoint, store : id of a network of our own, and the folder of its checkpoint.
    is_a, depth : the WordNet taxonomy, and how far below its root classes are merged; without a depth, it is cut
        into the ladder's numbers of groups, as equal in size as possible.
    tables : label tables to permute.
    seed : seed of random labels, of merged classes, and of the untrained network.
    network : architecture of the untrained network.
    extremes : images shown at both ends of each component; 0 for none.
    held_out, held_out_folder : validation images, labelled by the same rule (the same components cut at the same
        places, the same merged classes), and the folder of their tables. Random labels have no rule, so held-out
        images get none.
    say : called with messages: the class sizes, and the images at the ends of the components.
    spooling : ``batch_size``, ``precision`` and ``device`` of `features.spool`.
    """
    given = {"weights": weights, "checkpoint": checkpoint, "store": store, "is_a": is_a, "depth": depth}
    given |= {"tables": tables, "seed": seed, "network": network, **spooling}
    _check_settings(source, {name for name, value in given.items() if value not in (None, [], ())})
    ladder = tuple(ladder)
    if source in (*sources.FEATURE_SOURCES, *sources.FEATURES_OF):
        for k in ladder:
            rules.power_of_two(k)  # checked first, because the features may take hours
    folder, info = Path(folder), {"source": source, "data": images.fingerprint}
    beside = {}  # folder and description of the validation tables
    if source in ("merged", "wordnet") and depth is None:
        groups = sources.class_groups(source, images.names, ladder, seed=seed, is_a=is_a)
        info |= {"rule": source} | ({} if seed is None else {"seed": seed})
        names = {k: f"{source}_k{k}" + ("" if seed is None else f"_s{seed}") for k in ladder}
        found = {names[k]: (merged.labels(images.names, g), {**info, "groups": g}) for k, g in groups.items()}
        if held_out:
            beside = {names[k]: merged.labels(held_out.names, g) for k, g in groups.items()}
    elif source == "wordnet":
        labels, classes = sources.from_wordnet(images.names, is_a, depth)
        info |= {"rule": "wordnet", "depth": depth, "classes": classes}
        found = {f"wordnet_depth{depth}": (labels, info)}
        if held_out:  # one numbering for both, because held-out images may lack some classes
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
        features_of = sources.FEATURES_OF.get(source, source)
        seeded = "" if seed is None else f"_s{seed}"
        made_of = {"weights": weights, "checkpoint": checkpoint, "store": store, "network": network, "seed": seed}
        encoder = sources.encoder(source, **made_of, images=images.pixels)

        def features(of: Images, where: Path):
            to = Path(where) / f"{features_of}_features{seeded}"
            return spool(encoder, of.pixels, of.names, of.fingerprint, to, say=say, **spooling)

        first = sources.FIRST.get(source, 0)
        fitted = sources.from_features(features(images, folder), ladder, first)
        info |= {"rule": "pca", "encoder": encoder.name, "weights": encoder.fingerprint}
        info |= {"first_component": first + 1} if first else {}
        files.write_pca(folder / f"{source}_pca{seeded}.safetensors", fitted.pca, fitted.medians, info)
        others = features(held_out, held_out_folder) if held_out else None
        if source == "distilled":
            return _write_scores(fitted, images, folder, others and (others, held_out, held_out_folder), info, say)
        found = {f"{source}_k{k}{seeded}": (labels, info) for k, labels in fitted.by_k.items()}
        if held_out:
            beside = {f"{source}_k{k}{seeded}": labels for k, labels in sources.apply(fitted, others).items()}
        if extremes:
            _say_extremes(fitted, images.names, extremes, say, first)
    for name, labels in beside.items():
        k = int(found[name][0].max()) + 1
        about = {**found[name][1], "data": held_out.fingerprint, "of": images.fingerprint, "k": k}
        files.write(Path(held_out_folder) / f"{name}{suffix}", held_out.names, labels, about, every_class=False)
    if beside:
        say(f"{held_out_folder}: label tables by the same rule for {len(held_out.names)} validation images")
    return [_write(folder / f"{name}{suffix}", images.names, *entry, say) for name, entry in found.items()]


def from_disk(
    data: Path,
    source: str,
    recipe: str,
    *,
    images_per_class: int | None = None,
    broken: str = "fatal",
    validation: str = "auto",
    **settings,
) -> list[Path]:
    """Run `make` on images on disk, packed at the size of a recipe; the tables go where training looks for them.

    Parameters
    ----------
    recipe : name of a recipe; decides the size of the images and the network of `untrainedpcs`.
    validation : split of the images to label by the same rule: auto, the name of a split, or none.
    settings : passed to `make`.
    """
    trained = named(recipe, k=1)
    images = inputs.images(data, trained, images_per_class, 0, broken)
    if source == "untrainedpcs":
        settings["network"] = trained.network
    if held_out := inputs.validation(data, images, validation, broken):
        settings |= {"held_out": held_out, "held_out_folder": chosen.folder(held_out)}
    return make(source, images, chosen.folder(images), **settings)


def _check_settings(source, given):
    if source not in sources.SOURCES:
        raise ValueError(f"unknown label source {source!r}; known: {', '.join(sources.SOURCES)}")
    needs = NEEDS.get(source, ())
    if missing := [name for name in needs if name not in given]:
        raise ValueError(f"labels from {source} need {' and '.join(missing)}")
    may = {*needs, *MAY.get(source, ())}
    if source in (*sources.FEATURE_SOURCES, *sources.FEATURES_OF):
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


def _write_scores(fitted, images, folder, beside, info, say):
    """Write standardised scores of the images and, with the same mean and deviation, of the held-out images."""
    path = folder / f"distilled{score_files.SUFFIX}"
    score_files.write(path, images.names, score_files.standardised(fitted.scores), {**info, "rule": "scores"})
    if beside:
        others, held_out, where = beside
        scores = np.concatenate([fitted.pca.scores(block) for block in others.blocks()])
        about = {**info, "rule": "scores", "data": held_out.fingerprint, "of": images.fingerprint}
        scores = score_files.standardised(scores, fitted.scores)
        score_files.write(Path(where) / path.name, held_out.names, scores, about)
    say(f"{path}: {fitted.scores.shape[1]} scores per image, mean 0 and deviation 1")
    return [path]


def _say_extremes(fitted, names, count, say, first=0):
    share = fitted.pca.variances / fitted.pca.variances.sum()
    for number, (low, high) in enumerate(sources.pc_extremes(fitted.scores, names, count)):
        say(f"component {first + number + 1} ({share[first + number]:.1%} of the variance)")
        say(f"  low:  {', '.join(low)}")
        say(f"  high: {', '.join(high)}")
