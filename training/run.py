"""`granularity train` and `granularity ladder`: from images on disk to checkpoints in the store.

Heavy imports live in the functions, so that the command line starts fast.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import itertools
from dataclasses import asdict, field, fields, make_dataclass
from pathlib import Path
from typing import Annotated, get_type_hints

import tyro

from .recipe import Execution, Recipe
from .recipes import named

GIVEN_APART = ("labels", "k", "seed")  # by the verbs themselves


def _documentation(cls: type) -> dict[str, str]:
    """Field -> the string below it in the source."""
    body = ast.parse(inspect.getsource(cls)).body[0].body
    return {
        a.target.id: " ".join(b.value.value.split())
        for a, b in itertools.pairwise(body)
        if isinstance(a, ast.AnnAssign) and isinstance(b, ast.Expr) and isinstance(b.value, ast.Constant)
    }


def _settings() -> type:
    """Every field of a recipe as an option that may be left out."""
    types, texts = get_type_hints(Recipe), _documentation(Recipe)
    options = [
        (f.name, Annotated[types[f.name] | None, tyro.conf.arg(help=texts[f.name])], field(default=None))
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
    import torch

    from brainscore_granularity import checkpoints
    from brainscore_granularity.paths import home

    from . import inputs, targets
    from . import ladder as ladders

    changes = {f.name: getattr(settings, f.name) for f in fields(settings)}
    base = named(recipe, **{"labels": None, "k": 1, **changes})  # an error in a setting comes before any packing
    if devices and execution.device:
        raise ValueError(f"give --device {execution.device} or --devices {' '.join(devices)}, not both")
    images = inputs.images(data, base, images_per_class, subset_seed, broken)
    beside = inputs.validation(data, images, validation, broken)
    begin = checkpoints.find(start) if start else None
    weights = begin.state_dict() if begin else None

    rungs, infos = [], {}
    plan = [(source, n, seed) for source in labels for n in targets.numbers(source, k, images) for seed in seeds]
    if names and len(names) != len(plan):
        raise ValueError(f"{len(names)} names for {len(plan)} networks; give one each or none")
    for i, (source, n, seed) in enumerate(plan):
        aim = targets.training(source, n, images, base)
        own = named(recipe, **{**changes, "labels": aim.short, "k": aim.k, "seed": seed})
        count = "" if aim.short in ("native", "none") else f"_k{aim.k}"
        identifier = names[i] if names else f"granularity_{recipe}_{aim.short}{count}_s{seed}"
        parts = {"images": images.fingerprint, "labels": hashlib.sha256(aim.labels.tobytes()).hexdigest()[:16]}
        if begin:
            parts["start"] = begin.sha256
        run_id = own.run_id("-".join(parts.values()))
        info = {
            "network": own.network,
            "classes": own.k,
            "recipe": asdict(own),
            "run_id": run_id,
            "data": {**parts, "number": len(images)},
            "code": code_version(),
            "versions": checkpoints.versions(),
            "simulated": False,
        }
        folder = (to if len(plan) == 1 else to / identifier) if to else home() / "runs" / run_id
        infos[identifier] = info
        held_out = targets.held_out(aim, images, beside, own)
        rungs.append(ladders.Rung(identifier, own, aim.labels, folder, info, weights, held_out))
    if not devices:
        devices = (
            (execution.device,) if execution.device else tuple(f"cuda:{i}" for i in range(torch.cuda.device_count()))
        )
    for identifier, (network, metrics) in ladders.train_on(
        list(devices or ("cpu",)), rungs, images, execution, group
    ).items():
        info = {**infos[identifier], "metrics": metrics}
        saved = checkpoints.save(checkpoints.default_store(), identifier, network.state_dict(), info)
        last = f", loss {metrics['train_loss'][-1]:.4f}" if metrics["train_loss"] else ""
        if "validation_accuracy" in metrics:
            last += f", validation accuracy {metrics['validation_accuracy']:.1%}"
        print(f"{identifier}{last} -> {saved.weights}")


def code_version() -> str:
    """Hash of the code that decides the weights: this package and the networks."""
    import brainscore_granularity

    root = Path(brainscore_granularity.__file__).parent
    files = [*Path(__file__).parent.glob("*.py"), root / "networks.py", *(root / "architectures").glob("*.py")]
    content = b"".join(f.name.encode() + f.read_bytes() for f in sorted(files, key=lambda f: (f.name, f.parent.name)))
    return f"{brainscore_granularity.__version__}+{hashlib.sha256(content).hexdigest()[:12]}"
