"""From images on disk to checkpoints in the store: packs, labels, a ladder of networks.

`granularity train` and `granularity ladder` call this; Python code can call it directly. The command line imports this
module when it starts, so heavy imports are inside the function.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from brainscore_granularity.progress import say

from .recipe import Execution
from .recipes import named

if TYPE_CHECKING:
    from brainscore_granularity.weights.checkpoints import Checkpoint


@dataclass(frozen=True)
class Common:
    """Options that all networks of a ladder share."""

    data: Path
    """Images: a folder, a zip or a folder of zips, laid out split/class/image; or a pack made before."""
    recipe: str = "tiny"
    """Named recipe; the settings below change it."""
    start: str | None = None
    """Checkpoint to start from, for a curriculum and adversarial fine-tuning."""
    to: Path | None = None
    """Folder of the run, or of the runs where there are several; by default in the home folder."""
    images_per_class: int | None = None
    """Train on this many images of every class."""
    subset_seed: int = 0
    """Seed for the choice of those images."""
    broken: Literal["fatal", "skip"] = "fatal"
    """What to do with images that cannot be read: end with an error, or leave them out and list them."""
    validation: str = "auto"
    """Images to measure accuracy on after each epoch: auto (a val or test split, if any), a split by name, or none."""


@dataclass(frozen=True)
class Networks:
    """Which networks to train: one for every label source, number of classes and seed."""

    labels: tuple[str, ...] = ("native",)
    """Label sources: native, random, none, names of sources, or CSV or Parquet files (image, label)."""
    k: tuple[int, ...] = ()
    """Numbers of classes, for every source but native and none."""
    seeds: tuple[int, ...] = (1,)
    """Seeds; one network for each."""
    names: tuple[str, ...] = ()
    """Identifiers of the checkpoints, in the order labels, k, seeds; by default made from those."""
    devices: tuple[str, ...] = ()
    """Devices that share the ladder, such as cuda:0 cuda:1; by default every GPU."""
    group: int | None = None
    """Largest number of networks trained at once on one device; by default as many as fit."""


def ladder(
    common: Common, networks: Networks, changes: dict | None = None, execution: Execution | None = None
) -> list[Checkpoint]:
    """Train networks and keep them in the checkpoint store; one network is a ladder of one.

    Parameters
    ----------
    changes : settings that differ from the named recipe; None leaves a setting as it is.

    Returns
    -------
    The checkpoints, in the order labels, k, seeds. If several processes train one network (torchrun), only the first
    process returns them.

    After a crash the same call continues from the states last saved.

    >>> ladder(Common(Path("tiny_imagenet")), Networks(("own",), (2, 8)), {"epochs": 3})  # doctest: +SKIP
    """
    from brainscore_granularity.weights import checkpoints

    from . import hardware, plan
    from .data import inputs
    from .loop import ladder as ladders
    from .loop import parallel

    changes, execution = changes or {}, execution or Execution()
    base = named(common.recipe, **{"labels": None, "k": 1, **changes})  # a wrong setting fails before packing
    if networks.devices and execution.device:
        raise ValueError(f"give --device {execution.device} or --devices {' '.join(networks.devices)}, not both")
    with parallel.joined(execution.device) as device:
        subset = common.images_per_class, common.subset_seed
        images = parallel.from_first(lambda: inputs.images(common.data, base, *subset, common.broken))
        beside = parallel.from_first(lambda: inputs.validation(common.data, images, common.validation, common.broken))
        which = {name: getattr(networks, name) for name in ("labels", "k", "seeds", "names")}
        which |= {"to": common.to, "start": common.start}
        rungs = parallel.from_first(lambda: plan.rungs(images, beside, common.recipe, changes, **which))
        together = parallel.processes()
        if together.number > 1 and (len(rungs) > 1 or networks.devices):
            raise ValueError(
                f"torchrun trains one network in several processes, got {len(rungs)} networks"
                f"{' on --devices' if networks.devices else ''}. Start a ladder without torchrun; it takes every GPU"
            )
        places = [device or "cpu"] if device or together.number > 1 else list(networks.devices or plan.gpus())
        if together.first and base.precision == "bfloat16" and any(map(hardware.emulates_bfloat16, places)):
            say(
                "this processor has no instructions for bfloat16, which makes training slower than in float32 (about "
                "3 times on small networks): --precision float32 is faster here, and gives other weights"
            )
        trained = ladders.train_on(places, rungs, images, execution, networks.group)
        if not together.first:
            return []
        store, saved = checkpoints.default_store(), []
        for rung in rungs:
            network, metrics = trained[rung.name]
            info = {**rung.description, **_begun(rung.folder, rung.description), "metrics": metrics}
            saved.append(checkpoints.save(store, rung.name, network.state_dict(), info))
        return saved


def _begun(folder: Path, description: dict) -> dict:
    """The code version that began a run, if another one resumed it: new code resumes old runs, and this is recorded."""
    begun = json.loads((folder / "run.json").read_text()).get("code")
    return {} if begun in (None, description["code"]) else {"code_at_start": begun}
