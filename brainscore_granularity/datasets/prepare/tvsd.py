"""TVSD: multi-unit activity of two macaques looking at THINGS images (Papale et al. 2025, Neuron).

The values are the owners' own: activity averaged over time (V1 25-125, V4 50-150, IT 75-175 ms) and normalised for
each electrode and day. Nothing is normalised again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from brainscore_granularity.progress import progress

from . import assemblies, files, matlab73, store
from .registry import DATASETS
from .things import images as things_images

RESPONSES, IMAGES = "THINGS_normMUA.mat", "_logs/things_imgs.mat"
ELECTRODES = 1024
AREAS = {  # electrodes of each area; V4 and IT are swapped between the two monkeys
    "monkeyF": {"V1": slice(0, 512), "V4": slice(832, 1024), "IT": slice(512, 832)},
    "monkeyN": {"V1": slice(0, 512), "V4": slice(512, 768), "IT": slice(768, 1024)},
}
REGIONS = ("V1", "V4", "IT")
SPLITS = ("test", "train")


def prepare(source: Path, images: Path | None = None, say: Callable[[str], None] = print) -> list[str]:
    """Make ``Papale2025_local.{V1,V4,IT}.{train,test}`` from the folders monkeyF and monkeyN.

    One monkey alone is also possible. Builds that were made from the same files are kept.

    Parameters
    ----------
    source : folder that holds monkeyF/ and monkeyN/ with THINGS_normMUA.mat and _logs/things_imgs.mat.
    images : the THINGS images; by default below ``source``, or in the folder used by an earlier preparation.

    Returns
    -------
    Identifiers of the builds.
    """
    source = Path(source)
    monkeys = _monkeys(source, say)
    shown = {split: _shown_to_all(source, monkeys, split) for split in SPLITS}
    folder = things_images.folder(shown["test"][0], source, images)
    inputs = {
        "images": str(folder),
        "files": {monkey: [files.fingerprint(source / monkey / name) for name in (RESPONSES, IMAGES)]
                  for monkey in monkeys},
    }  # fmt: skip
    stimuli = {split: things_images.table(shown[split]) for split in SPLITS}
    return [
        identifier
        for region in REGIONS
        for identifier in _prepare_region(source, region, monkeys, stimuli, folder, inputs, say)
    ]


def _prepare_region(source, region, monkeys, stimuli, folder, inputs, say) -> list[str]:
    identifiers = {split: f"Papale2025_local.{region}.{split}" for split in SPLITS}
    if all(store.is_made_from(identifier, inputs) for identifier in identifiers.values()):
        say(f"{', '.join(identifiers.values())}: ready, made from these files before")
        return list(identifiers.values())
    values = {split: [] for split in SPLITS}
    neuroids, repeats = [], {"train": 1}
    for monkey in monkeys:
        with matlab73.opened(source / monkey / RESPONSES) as file:
            electrodes = AREAS[monkey][region]
            neuroids.append(read_electrodes(file, monkey, region))
            values["train"].append(read_train(file, len(stimuli["train"]), electrodes, f"{monkey} {region}"))
            test = read_test(file, len(stimuli["test"]), electrodes)
            values["test"].append(test)
            found = len(test) // len(stimuli["test"])
            if repeats.setdefault("test", found) != found:
                raise ValueError(f"expected {repeats['test']} repeats as of {monkeys[0]}, got {found} of {monkey}")
    neuroids = {name: np.concatenate([one[name] for one in neuroids]) for name in neuroids[0]}
    values = {split: np.concatenate(parts, axis=1) for split, parts in values.items()}
    usable = np.isfinite(values["train"]).all(axis=0) & np.isfinite(values["test"]).all(axis=0)
    dropped = neuroids["neuroid_id"][~usable].tolist()
    if dropped:
        say(f"{region}: {len(dropped)} electrodes have NaN or infinite responses and are left out: {dropped[0]}, ...")
    for split, identifier in identifiers.items():
        assembly = assemblies.neuroid_assembly(
            values[split][:, usable],
            presentation=things_images.presentation(stimuli[split], repeats[split]),
            neuroid={name: column[usable] for name, column in neuroids.items()},
        )
        record = {"inputs": inputs, "monkeys": list(monkeys), "dropped_electrodes": dropped}
        store.save(identifier, assembly, stimuli[split], folder, f"Papale2025_local.{split}", record)
        say(f"{identifier}: {len(stimuli[split])} images x {repeats[split]}, {usable.sum()} electrodes of "
            f"{' and '.join(monkeys)}")  # fmt: skip
    return list(identifiers.values())


def read_images(path: Path, split: str) -> list[str]:
    """The images in the order of the responses, as ``aardvark/aardvark_01b.jpg``; split is train or test."""
    with matlab73.opened(path) as file:
        group = f"{split}_imgs"
        if group not in file:
            raise ValueError(f"{path}: expected the variables train_imgs and test_imgs, got {', '.join(sorted(file))}")
        return [name.replace("\\", "/") for name in matlab73.strings(file[group]["things_path"])]


def read_electrodes(file, monkey: str, region: str) -> dict[str, np.ndarray]:
    """Neuroid coordinates of one monkey's electrodes in a region, in the order of the electrodes.

    reliability : Pearson correlation between two repeats over the test images, mean over all pairs of repeats.
    electrode : number from 0, as in the file.
    """
    where = AREAS[monkey][region]
    numbers = np.arange(where.start, where.stop)

    def each(name):
        return matlab73.vector(file, name, ELECTRODES)[where]

    return {
        "neuroid_id": np.array([f"{monkey}_{region}_e{number:04d}" for number in numbers]),
        "subject": np.repeat(monkey, len(numbers)),
        "region": np.repeat(region, len(numbers)),
        "electrode": numbers,
        "SNR": matlab73.variable(file, "SNR", (None, ELECTRODES))[:, where].mean(axis=0),  # over days
        "SNR_max": each("SNR_max"),
        "reliability": matlab73.variable(file, "reliab", (None, ELECTRODES))[:, where].mean(axis=0),
        "oracle": each("oracle"),
    }


def read_train(file, n_images: int, electrodes: slice, title: str) -> np.ndarray:
    """Responses to the train images, (images, electrodes) float32, read in blocks of rows."""
    data = matlab73.variable(file, "train_MUA", (n_images, ELECTRODES))
    values = np.empty((n_images, electrodes.stop - electrodes.start), np.float32)
    blocks = matlab73.row_blocks(data)
    with progress(title, len(blocks)) as advance:
        for rows in blocks:
            values[rows] = data[rows, electrodes]
            advance()
    return values


def read_test(file, n_images: int, electrodes: slice) -> np.ndarray:
    """Responses to the test images, (images x repeats, electrodes) float32, all repeats of an image in a row."""
    data = matlab73.variable(file, "test_MUA_reps", (None, n_images, ELECTRODES))
    repeats = len(data)
    values = np.empty((n_images, repeats, electrodes.stop - electrodes.start), np.float32)
    for repeat in range(repeats):
        values[:, repeat] = data[repeat, :, electrodes]
    return values.reshape(n_images * repeats, -1)


def _monkeys(source: Path, say) -> tuple[str, ...]:
    needed = {monkey: [source / monkey / name for name in (RESPONSES, IMAGES)] for monkey in AREAS}
    monkeys = tuple(monkey for monkey, paths in needed.items() if all(path.is_file() for path in paths))
    absent = [path for paths in needed.values() for path in paths if not path.is_file()]
    if not monkeys:
        files.require(DATASETS["tvsd"], source, absent)
    if absent:
        say(f"prepared from {monkeys[0]} alone; not there: {', '.join(map(str, absent))}")
    return monkeys


def _shown_to_all(source: Path, monkeys, split: str) -> list[str]:
    shown = {monkey: read_images(source / monkey / IMAGES, split) for monkey in monkeys}
    first = shown[monkeys[0]]
    for monkey, images in shown.items():
        if images != first:
            raise ValueError(f"{source / monkey / IMAGES}: expected the {split} images of {monkeys[0]}, in order")
    if len(set(first)) != len(first):
        raise ValueError(f"{source / monkeys[0] / IMAGES}: expected each {split} image once, got some twice")
    return first
