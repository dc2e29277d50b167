"""From the options of a command to the networks to train: a name, a recipe, labels and a folder for each."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

from brainscore_granularity.paths import home
from brainscore_granularity.weights import checkpoints, identifiers
from brainscore_granularity.weights.find import find

from .data.packed import Packed
from .labels import chosen as targets
from .loop.ladder import Rung
from .recipes import named


def rungs(
    images: Packed,
    validation: Packed | None,
    recipe: str,
    changes: dict,
    *,
    labels: tuple[str, ...],
    k: tuple[int, ...],
    seeds: tuple[int, ...],
    names: tuple[str, ...] = (),
    to: Path | None = None,
    start: str | None = None,
) -> list[Rung]:
    """One network for every label source, number of classes and seed, in this order.

    Parameters
    ----------
    recipe, changes : a named recipe, and the settings that differ from it.
    names : names of the checkpoints; by default made from recipe, labels, k and seed.
    to : folder of the run, or of the runs where there are several.
    start : checkpoint whose weights all networks start from.
    """
    begin = find(start) if start else None
    weights = begin.state_dict() if begin else None
    wanted = [(source, n, seed) for source in labels for n in targets.numbers(source, k, images) for seed in seeds]
    if names and len(names) != len(wanted):
        raise ValueError(f"{len(names)} names for {len(wanted)} networks; give one each or none")
    found = []
    for i, (source, n, seed) in enumerate(wanted):
        aim = targets.training(source, n, images, named(recipe, **{**changes, "labels": None, "k": 1}))
        own = named(recipe, **{**changes, "labels": aim.short, "k": aim.k, "seed": seed})
        identifier = names[i] if names else identifiers.trained(recipe, own.rule, aim.short, aim.k, seed)
        parts = {"images": images.fingerprint, "labels": hashlib.sha256(aim.labels.tobytes()).hexdigest()[:16]}
        if begin:
            parts["start"] = begin.sha256
        run_id = own.run_id("-".join(parts.values()))
        description = {
            "network": own.network,
            "classes": own.k,
            "recipe": asdict(own),
            "run_id": run_id,
            "data": {**parts, "number": len(images)},
            "code": code_version(),
            "versions": checkpoints.versions(),
            "simulated": False,
        }
        folder = (to if len(wanted) == 1 else to / identifier) if to else home() / "runs" / run_id
        held_out = targets.held_out(aim, images, validation, own)
        found.append(Rung(identifier, own, aim.labels, folder, description, weights, held_out))
    return found


def gpus() -> tuple[str, ...]:
    """Every GPU, or the CPU where there is none."""
    import torch

    return tuple(f"cuda:{i}" for i in range(torch.cuda.device_count())) or ("cpu",)


def code_version() -> str:
    """Hash of the code that decides the weights: this package and the networks."""
    import brainscore_granularity

    root = Path(brainscore_granularity.__file__).parent
    files = [*Path(__file__).parent.rglob("*.py"), *(root / "networks").glob("*.py")]
    content = b"".join(f.name.encode() + f.read_bytes() for f in sorted(files, key=lambda f: (f.name, f.parent.name)))
    return f"{brainscore_granularity.__version__}+{hashlib.sha256(content).hexdigest()[:12]}"
