"""Features of a network along its training, from the weights that a run kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainscore_granularity.report import conditions

from .base import NotApplicable

BATCH = 64
STATISTICS = (
    "batch norm's statistics start at 0 and 1 and approach those of the images in the first tens of steps, so not all "
    "change there is learning; learning starts from the network with fitted statistics"
)


@dataclass(frozen=True)
class Run:
    """One training run.

    label : short name that distinguishes it from other runs, made from its recipe.
    labels : source of the classes.
    k : number of classes.
    """

    folder: Path
    id: str
    label: str
    labels: str
    k: int
    network: str
    seed: int
    objective: str
    simulated: bool

    @property
    def native(self) -> bool:
        return self.labels == conditions.NATIVE

    @property
    def steps(self) -> list[int]:
        """Steps at which weights were kept."""
        return sorted(int(file.stem.split("-")[1]) for file in (self.folder / "snapshots").glob("step-*.safetensors"))

    def weights(self, step: int) -> dict:
        """The network's tensors after a step."""
        from brainscore_granularity.training.loop.state import read_snapshot

        return read_snapshot(self.folder / "snapshots" / f"step-{step:09d}.safetensors")

    def last(self) -> dict:
        """The network's tensors at the end of training, or at the last saved state."""
        from safetensors.torch import load_file

        tensors = load_file(self.folder / "state.safetensors")
        start = "network/"
        return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}

    @property
    def fingerprint(self) -> list:
        return [self.id, self.steps, (self.folder / "log.csv").read_text()]


def read(folder: Path) -> Run:
    """The run of a folder that `granularity train` or `ladder` has written."""
    file = Path(folder) / "run.json"
    if not file.exists():
        raise ValueError(
            f"--runs {folder}: no run.json there; runs are in the folder runs of the package's home, see "
            "`granularity train --help`"
        )
    about = json.loads(file.read_text())
    recipe, labels = about["recipe"], about["recipe"]["labels"]
    parts = [labels if labels == conditions.NATIVE else f"{labels} K={about['classes']}"]
    if recipe["objective"] != "classify":
        extra = {"auxiliary": ("auxiliary_k", "auxiliary_weight"), "curriculum": ("tune",)}.get(recipe["objective"], ())
        parts += [recipe["objective"], *(f"{name.split('_')[-1]}={recipe[name]}" for name in extra)]
    return Run(Path(folder), about["run_id"], " ".join(parts), labels, about["classes"], recipe["network"],
               recipe["seed"], recipe["objective"], bool(about["simulated"]))  # fmt: skip


def read_all(folders) -> list[Run]:
    """The runs of several folders; labels are made unique if recipes differ in other settings too."""
    runs = [read(folder) for folder in folders]
    labels = [run.label for run in runs]
    twice = {label for label in labels if labels.count(label) > 1}
    return [run if run.label not in twice else Run(**{**vars(run), "label": f"{run.label} {run.id[:6]}"})
            for run in runs]  # fmt: skip


def features(run: Run, weights: dict, images, layers) -> dict[str, np.ndarray]:
    """Features {layer: (images, ...)} float32, as returned by Brain-Score's wrapper of the network.

    images : image files; the wrapper resizes them.
    """
    from brainscore_granularity import networks
    from brainscore_granularity.brains.model import wrap

    network = networks.with_weights(run.network, run.k, weights)
    if missing := [layer for layer in layers if layer not in network.candidates]:
        raise ValueError(f"{run.label} has no layer {missing[0]!r}; it has {', '.join(network.candidates)}")
    extractor = wrap(network, run.id)._extractor
    parts: dict[str, list] = {layer: [] for layer in layers}
    for start in range(0, len(images), BATCH):
        batch = np.array([str(path) for path in images[start : start + BATCH]])
        found = extractor._get_batch_activations(inputs=batch, layer_names=list(layers), batch_size=len(batch))
        for layer in layers:
            parts[layer].append(np.asarray(found[layer], np.float32))
    return {layer: np.concatenate(part) for layer, part in parts.items()}


def along(run: Run, images, layer: str) -> Iterator[tuple[int, np.ndarray]]:
    """Yields (step, features) of every snapshot."""
    steps = run.steps
    if len(steps) < 2:
        raise ValueError(
            f"{run.folder} keeps no weights along training; train it with --snapshots-mb 20 (or what the disk allows)"
        )
    for step in steps:
        yield step, features(run, run.weights(step), images, [layer])[layer]


def pooled(features) -> np.ndarray:
    """Spatial maxima (images, channels), as in `digests.pooled`."""
    return features.max(axis=(2, 3)) if features.ndim == 4 else features.reshape(len(features), -1)


def of(study) -> tuple[list[Run], str]:
    """The runs of a study, and the one layer to analyse: that of --layers, or the last."""
    from brainscore_granularity import networks

    if not study.runs:
        raise NotApplicable("needs training runs: add --runs, folders that `granularity train` has written")
    if len(study.asked) > 1:
        raise ValueError(
            f"--layers {' '.join(study.asked)}: runs are compared in one layer, fixed beforehand; name one"
        )
    layers = study.asked or networks.build(study.runs[0].network, study.runs[0].k, seed=0).candidates[-1:]
    return study.runs, layers[0]


def inputs(study) -> list:
    """All that results depend on."""
    return [run.fingerprint for run in study.runs]


def shown(images) -> list[Path]:
    """Files of the images as our networks see them."""
    from brainscore_granularity.brains.model import VISUAL_DEGREES

    return images.shown_at(VISUAL_DEGREES)
