"""`granularity train` and `granularity ladder`: from images on disk to checkpoints in the store.

Heavy imports live in the functions, so that the command line starts fast.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import sys
from dataclasses import field, fields, make_dataclass
from pathlib import Path
from typing import Annotated, get_type_hints

import tyro

from brainscore_granularity.training.recipe import Execution, Recipe
from brainscore_granularity.training.recipes import named

GIVEN_APART = ("labels", "k", "seed")  # by the verbs themselves


def _documentation(cls: type) -> dict[str, str]:
    """Field -> the string below it in the source."""
    body = ast.parse(inspect.getsource(cls)).body[0].body
    return {
        a.target.id: " ".join(b.value.value.split())
        for a, b in itertools.pairwise(body)
        if isinstance(a, ast.AnnAssign) and isinstance(b, ast.Expr) and isinstance(b.value, ast.Constant)
    }


def _explained(text: str):
    return tyro.conf.arg(help=text, help_behavior_hint="(default: the recipe's)")


def _settings() -> type:
    """Every field of a recipe as an option that may be left out."""
    types, texts = get_type_hints(Recipe), _documentation(Recipe)
    options = [
        (f.name, Annotated[types[f.name] | None, _explained(texts[f.name])], field(default=None))
        for f in fields(Recipe)
        if f.name not in GIVEN_APART
    ]
    return make_dataclass("Settings", options, frozen=True)


Settings = _settings()
Flat = tyro.conf.arg(name="")


def train(
    data: Path,
    recipe: str = "tiny",
    labels: str = "native",
    k: int | None = None,
    seed: int = 1,
    name: str | None = None,
    to: Path | None = None,
    start: str | None = None,
    images_per_class: int | None = None,
    subset_seed: int = 0,
    broken: str = "fatal",
    validation: str = "auto",
    settings: Annotated[Settings, Flat] = Settings(),  # noqa: B008  (frozen)
    execution: Annotated[Execution, Flat] = Execution(),  # noqa: B008
) -> None:
    """Train one network and keep it in the checkpoint store; after a crash the same command goes on.

    Example: granularity train --recipe tiny --data tiny_imagenet --labels native --seed 1

    On several GPUs: torchrun --nproc-per-node 4 -m brainscore_granularity.cli.main train --recipe imagenet ...

    Args:
        data: Images: a folder, a zip or a folder of zips, laid out split/class/image; or a pack made before.
        recipe: Named recipe that the options below change.
        labels: native, random, none, the name of a label source, or a CSV or Parquet file (image, label).
        k: Number of classes; by default those of the data or of the file.
        seed: Sets the initial weights.
        name: Identifier of the checkpoint; by default granularity_RECIPE_LABELS_kK_sSEED.
        to: Folder of the run; by default one of its own in the home folder.
        start: Checkpoint to start from, for a curriculum and adversarial fine-tuning.
        images_per_class: Train on this many images of every class.
        subset_seed: Chooses them.
        broken: What to do with images that cannot be read: fatal, or skip and list them.
        validation: Images beside those on which accuracy is measured after each epoch: auto (a val or test split
            where the data has one), the name of a split, or none.
        settings: Settings of the recipe.
        execution: How it is carried out.
    """
    ladder(
        data=data,
        recipe=recipe,
        labels=(labels,),
        k=() if k is None else (k,),
        seeds=(seed,),
        names=() if name is None else (name,),
        to=to,
        start=start,
        images_per_class=images_per_class,
        subset_seed=subset_seed,
        broken=broken,
        validation=validation,
        settings=settings,
        execution=execution,
    )


def ladder(
    data: Path,
    recipe: str = "tiny",
    labels: tuple[str, ...] = ("native",),
    k: tuple[int, ...] = (),
    seeds: tuple[int, ...] = (1,),
    names: tuple[str, ...] = (),
    to: Path | None = None,
    start: str | None = None,
    images_per_class: int | None = None,
    subset_seed: int = 0,
    broken: str = "fatal",
    validation: str = "auto",
    devices: tuple[str, ...] = (),
    group: int | None = None,
    settings: Annotated[Settings, Flat] = Settings(),  # noqa: B008  (frozen)
    execution: Annotated[Execution, Flat] = Execution(),  # noqa: B008
) -> None:
    """Train every number of classes, seed and label source of a study over one pass of the data.

    Each network comes out as `granularity train` would have trained it alone; after a crash the same command goes on.

    Example: granularity ladder --data tiny_imagenet --labels own random --k 2 8 64 --seeds 1 2

    Args:
        data: Images: a folder, a zip or a folder of zips, laid out split/class/image; or a pack made before.
        recipe: Named recipe that the options below change.
        labels: Label sources: native, random, none, names of sources, or CSV or Parquet files (image, label).
        k: Numbers of classes, for every source but native and none.
        seeds: One network each.
        names: Identifiers of the checkpoints, in the order labels, k, seeds; by default made from those.
        to: Folder of the run, or of the runs where there are several; by default in the home folder.
        start: Checkpoint to start from, for a curriculum and adversarial fine-tuning.
        images_per_class: Train on this many images of every class.
        subset_seed: Chooses them.
        broken: What to do with images that cannot be read: fatal, or skip and list them.
        validation: Images beside those on which accuracy is measured after each epoch: auto (a val or test split
            where the data has one), the name of a split, or none.
        devices: Devices that share the ladder, such as cuda:0 cuda:1; by default every GPU.
        group: Most networks at a time on one device; by default as many as fit.
        settings: Settings of the recipe.
        execution: How it is carried out.
    """
    from brainscore_granularity.training import hardware, plan
    from brainscore_granularity.training.data import inputs
    from brainscore_granularity.training.loop import ladder as ladders
    from brainscore_granularity.training.loop import parallel
    from brainscore_granularity.weights import checkpoints

    changes = {f.name: getattr(settings, f.name) for f in fields(settings)}
    base = named(recipe, **{"labels": None, "k": 1, **changes})  # an error in a setting comes before any packing
    if devices and execution.device:
        raise ValueError(f"give --device {execution.device} or --devices {' '.join(devices)}, not both")
    with parallel.joined(execution.device) as device:
        images = parallel.from_first(lambda: inputs.images(data, base, images_per_class, subset_seed, broken))
        beside = parallel.from_first(lambda: inputs.validation(data, images, validation, broken))
        chosen = {"labels": labels, "k": k, "seeds": seeds, "names": names, "to": to, "start": start}
        rungs = parallel.from_first(lambda: plan.rungs(images, beside, recipe, changes, **chosen))
        together = parallel.processes()
        if together.number > 1 and (len(rungs) > 1 or devices):
            raise ValueError(
                f"torchrun trains one network in several processes, asked: {len(rungs)} networks"
                f"{' on --devices' if devices else ''}. Start a ladder without torchrun; it takes every GPU"
            )
        places = [device or "cpu"] if device or together.number > 1 else list(devices or plan.gpus())
        if together.first and base.precision == "bfloat16" and any(map(hardware.emulates_bfloat16, places)):
            print(
                "this processor has no instructions for bfloat16, which makes training slower than in float32 (about "
                "3 times on small networks): --precision float32 is faster here, and gives other weights",
                file=sys.stderr,
            )
        trained = ladders.train_on(places, rungs, images, execution, group)
        if not together.first:
            return
        for rung in rungs:
            network, metrics = trained[rung.name]
            info = {**rung.description, "metrics": metrics}
            saved = checkpoints.save(checkpoints.default_store(), rung.name, network.state_dict(), info)
            last = f", loss {metrics['train_loss'][-1]:.4f}" if metrics["train_loss"] else ""
            if "validation_accuracy" in metrics:
                last += f", validation accuracy {metrics['validation_accuracy']:.1%}"
            print(f"{rung.name}{last} -> {saved.weights}")
