"""`granularity labels`: tables of classes, from any source."""

from __future__ import annotations

from pathlib import Path


def labels(
    data: Path,
    source: str = "own",
    recipe: str = "tiny",
    k: tuple[int, ...] = (2, 4, 8, 16, 32, 64),
    checkpoint: str | None = None,
    weights: Path | None = None,
    is_a: Path | None = None,
    depth: int | None = None,
    tables: tuple[Path, ...] = (),
    seed: int | None = None,
    images_per_class: int | None = None,
    broken: str = "fatal",
    validation: str = "auto",
    parquet: bool = False,
) -> None:
    """Label images at every granularity, for `granularity train` and `granularity ladder` to use.

    Writes SOURCE_kK.csv (image, label), with _sSEED if the labels depend on a seed, or scores for distilled; their
    description; and the principal components. Prints the class sizes and the images at both ends of each component.

    Example: granularity labels --data tiny_imagenet --source own --checkpoint granularity_tiny_native_s1

    Args:
        data: Images: a folder, a zip or a folder of zips, laid out split/class/image; or a pack made before.
        source: Classes cut along principal components: own (of a network of yours), alexnet, clip, dino, lite0, vit,
            minor (7 to 12 of lite0), untrainedpcs (of an untrained network) or pixels; native classes merged: merged
            (at random) or wordnet; controls: random or permuted; distilled: scores of lite0, for regression.
        recipe: Recipe that will train on the labels: it decides the size at which images are packed.
        k: Numbers of classes.
        checkpoint: For own: identifier of the network whose features are cut into classes.
        weights: For alexnet, clip, dino, lite0 and vit: file of the pretrained weights; by default the library's cache.
        is_a: For wordnet: file of lines `parent child`, or WordNet's own data.noun.
        depth: For wordnet: how far below the root classes are merged, in place of k.
        tables: For permuted: label tables to permute.
        seed: For random, permuted, merged and untrainedpcs: seed of the random choices.
        images_per_class: Use only this many images of every class.
        broken: What to do with images that cannot be read: fatal, or skip and list them.
        validation: Images to label by the same rule, so that training can measure accuracy on them: auto (a val or
            test split where the data has one), the name of a split, or none.
        parquet: Write Parquet instead of CSV.
    """
    from brainscore_granularity.training.labels.make import from_disk

    images = {"images_per_class": images_per_class, "broken": broken, "validation": validation}
    given = {"weights": weights, "is_a": is_a, "depth": depth, "tables": tables, "seed": seed}
    suffix = ".parquet" if parquet else ".csv"
    from_disk(data, source, recipe, **images, ladder=k, checkpoint=checkpoint, **given, suffix=suffix, say=print)
