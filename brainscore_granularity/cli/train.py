"""`granularity train`, `ladder` and `fit`: their options, and one line of output for each network."""

from __future__ import annotations

import ast
import inspect
import itertools
from dataclasses import dataclass, field, fields, make_dataclass
from pathlib import Path
from typing import Annotated, Literal, get_type_hints

import tyro

from brainscore_granularity.training import fit as fitting
from brainscore_granularity.training import train as training
from brainscore_granularity.training.recipe import Execution, Recipe

GIVEN_APART = ("labels", "k", "seed")  # settings that each verb defines itself


def _documentation(cls: type) -> dict[str, str]:
    """Help text of each option: the string below its field in the source."""
    body = ast.parse(inspect.getsource(cls)).body[0].body
    return {
        a.target.id: " ".join(b.value.value.split())
        for a, b in itertools.pairwise(body)
        if isinstance(a, ast.AnnAssign) and isinstance(b, ast.Expr) and isinstance(b.value, ast.Constant)
    }


def _explained(text: str):
    return tyro.conf.arg(help=text, help_behavior_hint="(default: the recipe's)")


def _settings() -> type:
    """A class with every field of a recipe as an optional option."""
    types, texts = get_type_hints(Recipe), _documentation(Recipe)
    options = [
        (f.name, Annotated[types[f.name] | None, _explained(texts[f.name])], field(default=None))
        for f in fields(Recipe)
        if f.name not in GIVEN_APART
    ]
    return make_dataclass("Settings", options, frozen=True)


Settings = _settings()
Flat = tyro.conf.arg(name="")


@dataclass(frozen=True)
class Network:
    """One network."""

    labels: str = "native"
    """native, random, none, the name of a label source, or a CSV or Parquet file (image, label)."""
    k: int | None = None
    """Number of classes; by default those of the data or of the file."""
    seed: int = 1
    """Seed of the initial weights."""
    name: str | None = None
    """Identifier of the checkpoint; by default granularity_RECIPE_LABELS_kK_sSEED."""


def train(
    common: Annotated[training.Common, Flat],
    network: Annotated[Network, Flat] = Network(),  # noqa: B008  (frozen, as all here)
    settings: Annotated[Settings, Flat] = Settings(),  # noqa: B008
    execution: Annotated[Execution, Flat] = Execution(),  # noqa: B008
) -> None:
    """Train one network and keep it in the checkpoint store; after a crash the same command resumes.

    Example: granularity train --recipe tiny --data tiny_imagenet --labels native --seed 1

    On several GPUs: torchrun --nproc-per-node 4 -m brainscore_granularity.cli train --recipe imagenet ...
    """
    k, names = (() if given is None else (given,) for given in (network.k, network.name))
    ladder(common, training.Networks((network.labels,), k, (network.seed,), names), settings, execution)


def ladder(
    common: Annotated[training.Common, Flat],
    networks: Annotated[training.Networks, Flat] = training.Networks(),  # noqa: B008
    settings: Annotated[Settings, Flat] = Settings(),  # noqa: B008
    execution: Annotated[Execution, Flat] = Execution(),  # noqa: B008
) -> None:
    """Train networks for every number of classes, seed and label source of a study in one pass over the data.

    Each network is equal to one that `granularity train` trains alone; after a crash the same command resumes.

    Example: granularity ladder --data tiny_imagenet --labels own random --k 2 8 64 --seeds 1 2
    """
    for saved in training.ladder(common, networks, vars(settings), execution):
        metrics = saved.info["metrics"]
        last = f", loss {metrics['train_loss'][-1]:.4f}" if metrics["train_loss"] else ""
        if "validation_accuracy" in metrics:
            last += f", validation accuracy {metrics['validation_accuracy']:.1%}"
        print(f"{saved.identifier}{last} -> {saved.weights}")


def fit(
    models: Annotated[list[str], tyro.conf.Positional, tyro.conf.arg(metavar="PATTERN ...")],
    data: Path,
    to: Path | None = None,
    broken: Literal["fatal", "skip"] = "fatal",
) -> None:
    """Give untrained networks the batch-norm statistics of training images: the baseline for effects of learning.

    The weights stay those of the seed. The running means and variances are measured on 2,048 images, evenly spread over
    the training images, and kept with the images' fingerprint; the layers are those of the untrained network.

    Example: granularity fit 'granularity_tiny_fitted_*' --data tiny_imagenet

    Args:
        models: Identifiers or shell patterns of fitted networks.
        data: Training images: a folder, a zip or a folder of zips, laid out split/class/image; or a pack made before.
        to: Folder of the statistics, their manifest and layer maps; by default $BRAINSCORE_GRANULARITY_HOME.
        broken: What to do with images that cannot be read: end with an error, or leave them out and list them.
    """
    for made in fitting.fit(models, data, to, broken):
        print(f"{made.identifier} -> {made.weights}")
