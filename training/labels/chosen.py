"""The classes that a run is trained on, by name: native, random, or from a table that `granularity labels` made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import home
from brainscore_granularity.progress import say

from ..data.packed import Packed
from ..loop.validation import HeldOut
from ..recipe import SUPERVISED, Recipe
from . import files
from . import rule as rules
from . import scores as score_files

UNCUT = ("native", "none", "distilled")  # sources without a choice of K; their model ids have no K
CONTROLS = ("random", "permuted")
SEED = 0  # seed of the control labels that are drawn here if no table of them exists
RULES = ("pca", "wordnet", "merged")  # rules that can also label other images
# Entries of the table's description that must be equal for the validation and the training table.
SAME_RULE = ("rule", "encoder", "weights", "first_component", "depth", "classes", "groups", "seed")


@dataclass(frozen=True, eq=False)
class Targets:
    """Labels of the training images."""

    short: str
    """Short name of the source, as used in the name of the checkpoint."""
    labels: np.ndarray
    """(n,) int64; (n, 2), fine and coarse, for the auxiliary objective; (n, k) float32 for a regression."""
    k: int
    path: Path | None = None
    """The table file that the labels come from."""
    info: dict | None = None
    """Description of the table, from its JSON file."""


def folder(images: Packed) -> Path:
    """Where the label tables of a pack are kept."""
    return home() / "labels" / images.fingerprint[:12]


def numbers(source: str, k: tuple[int, ...], images: Packed) -> tuple[int | None, ...]:
    """Numbers of classes to train on: the given ``k``, or (None,) if the source has no choice of K."""
    fixed = source in UNCUT or _named(source)[1] or _is_file(source) or _tables(images, source)
    return (None,) if fixed or not k else k


def training(source: str, k: int | None, images: Packed, recipe: Recipe) -> Targets:
    """Labels of the training images.

    source : ``native``, ``none``, ``distilled``, ``random``, ``permuted``, the name of a table such as ``own`` (with
        k), ``own_k8`` or ``wordnet_depth3``, or a CSV or Parquet file.
    """
    if (source == "distilled") != (recipe.objective == "regress"):
        raise ValueError(
            f"labels {source} with objective {recipe.objective}: scores are regressed and classes are not. Give "
            "--labels distilled --objective regress --label-smoothing 0 together, or neither"
        )
    if source == "distilled":
        return _scores(images)
    if source == "native":
        found = Targets("native", np.asarray(images.labels), len(images.classes))
    elif source == "none":
        found = Targets("none", np.zeros(len(images), np.int64), 1)
    else:
        found = _from_source(source, k, images)
    if recipe.objective == "auxiliary":
        coarse = recipe.auxiliary_k
        rules.power_of_two(coarse)
        if found.k % coarse or source == "native":
            raise ValueError(
                f"the auxiliary objective merges neighbouring classes of nested labels: {found.k} {found.short} "
                f"classes cannot be merged into {coarse}. Use labels from a source, such as own, and fewer auxiliary "
                "classes."
            )
        both = np.stack([found.labels, found.labels // (found.k // coarse)], axis=1)
        found = Targets(found.short, both, found.k, found.path, found.info)
    return Targets(found.short, np.ascontiguousarray(found.labels, np.int64), found.k, found.path, found.info)


def held_out(targets: Targets, images: Packed, validation: Packed | None, recipe: Recipe) -> HeldOut | None:
    """Labels of the validation images: native, or from a table made by the same rule; None if there are none."""
    if validation is None or recipe.objective not in SUPERVISED or recipe.objective == "regress":
        return None
    if targets.short == "native":
        number = {name: i for i, name in enumerate(images.classes)}
        return HeldOut(validation, np.array([number[name] for name in validation.classes])[validation.labels])
    if targets.info is None or targets.info.get("rule") not in RULES:
        return None  # random labels or a user's table do not define labels of other images
    path = folder(validation) / targets.path.name
    table = files.read(path, validation.names, every_class=False) if path.exists() else None
    same = table is not None and table.info.get("of") == images.fingerprint
    if not same or any(table.info.get(key) != targets.info.get(key) for key in SAME_RULE):
        say(
            f"no validation for {targets.path.stem}: the validation images have no labels made by the rule of the "
            "training labels. Make both with `granularity labels`"
        )
        return None
    return HeldOut(validation, table.labels)


def _scores(images: Packed) -> Targets:
    path = folder(images) / f"distilled{score_files.SUFFIX}"
    if not path.exists():
        raise ValueError(f"no scores in {path}. Make them with `granularity labels --source distilled`")
    scores, info = score_files.read(path, images.names)
    return Targets("distilled", scores, scores.shape[1], path, info)


def _from_source(source: str, k: int | None, images: Packed) -> Targets:
    name, own_k = _named(source)
    if _is_file(source):
        return _from_table(Path(source), Path(source).stem.split("_k")[0], k, images)
    if exact := _tables(images, source):
        return _from_table(exact[0], source.split("_k")[0], k, images)
    k = own_k or k
    if k is None:
        raise ValueError(f"{name} labels need the number of classes: --k 8")
    if name in CONTROLS:
        return _control(name, k, images)
    if name.startswith("permuted_") and not _tables(images, f"{name}_k{k}_s*"):
        return _dealt(name, _one(name, k, images, _tables(images, f"{name.removeprefix('permuted_')}_k{k}")), k, images)
    tables = _tables(images, f"{name}_k{k}") or _tables(images, f"{name}_k{k}_s*")
    return _from_table(_one(name, k, images, tables), name, k, images)


def _control(name: str, k: int, images: Packed) -> Targets:
    """Labels of a control condition: its table if there is one, else drawn here."""
    made = _tables(images, f"{name}_k{k}_s*" if name == "random" else f"{name}_*_k{k}_s*")
    if made:
        path = _one(name, k, images, made)
        say(f"{name} labels from {path}")
        return _from_table(path, name, k, images)
    if name == "random":
        rules.power_of_two(k)
        return Targets(name, rules.random_balanced(len(images), k, SEED), k)
    bases = [p for p in _tables(images, f"*_k{k}") if not p.stem.startswith(CONTROLS)]
    return _dealt(name, _one(name, k, images, bases), k, images)


def _dealt(name: str, base: Path, k: int, images: Packed) -> Targets:
    return Targets(name, rules.permuted(_from_table(base, name, k, images).labels, SEED), k)


def _from_table(path: Path, short: str, k: int | None, images: Packed) -> Targets:
    table = files.read(path, images.names)
    if k is not None and table.k != k:
        raise ValueError(f"{path} has {table.k} classes, expected {k}")
    return Targets(short, table.labels, table.k, path, table.info)


def _one(name: str, k: int | None, images: Packed, found: list[Path]) -> Path:
    """The only matching table; otherwise an error that names the tables that exist."""
    if len(found) == 1:
        return found[0]
    where = folder(images)
    if found:
        stems = ", ".join(path.stem for path in found)
        raise ValueError(f"{name} labels of {k} classes could be any of {stems} in {where}; name one, as --labels does")
    there = ", ".join(path.stem for path in _tables(images, "*")) or "nothing yet"
    wanted = f"table of {k} classes to permute" if name == "permuted" else f"labels {name}_k{k}.csv or .parquet"
    raise ValueError(
        f"no {wanted} in {where} (there: {there}). Make them with `granularity labels`, give a file, or use native or "
        "random"
    )


def _tables(images: Packed, pattern: str) -> list[Path]:
    """Label tables of a pack whose stem matches a pattern; the CSV file if a table exists in both formats."""
    found = {
        path.stem: path for suffix in reversed(files.SUFFIXES) for path in folder(images).glob(f"{pattern}{suffix}")
    }
    return [found[stem] for stem in sorted(found)]


def _named(source: str) -> tuple[str, int | None]:
    """own_k8 -> own, 8; own -> own, None."""
    match = re.fullmatch(r"(.+)_k(\d+)", source)
    return (match[1], int(match[2])) if match else (source, None)


def _is_file(source: str) -> bool:
    return Path(source).suffix in files.SUFFIXES
