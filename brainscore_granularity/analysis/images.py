"""The images of a study: a folder of images, a stimulus set of Brain-Score, or what the benchmarks show."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import home, write_atomically

# columns of a stimulus set that may hold the label of an image; the first that exists is used
LABELS = ("category", "label", "object_name", "category_name", "image_label", "fine", "concept")


class MixedImages(ValueError):
    """Benchmarks that show different images cannot share one analysis."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images on disk, in order.

    ids : names of the images.
    paths : their files.
    labels : (n,) class of each image; None if unknown.
    degrees : width of the images in degrees of visual angle; None: they fill the field of view of any model.
    """

    name: str
    ids: tuple[str, ...]
    paths: tuple[Path, ...] = field(repr=False)
    labels: np.ndarray | None = None
    degrees: float | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content of every image in order, and of the images' width in degrees."""
        from brainscore_granularity.brains.recorder import content

        digest = hashlib.sha256(repr(self.degrees).encode())
        for path in self.paths:
            digest.update(content(path))
        return digest.hexdigest()

    def shown_at(self, degrees: float) -> list[Path]:
        """Files of the images as a model with a field of view of ``degrees`` sees them."""
        from brainscore_granularity.brains.screen import place_on_screen

        stimuli = as_stimuli(self.ids, self.paths, self.name)
        shown = place_on_screen(stimuli, degrees, self.degrees)
        return [Path(shown.get_stimulus(name)) for name in self.ids]


def as_stimuli(ids, paths, name: str):
    """A stimulus set of image files."""
    from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet

    stimuli = StimulusSet({"stimulus_id": list(ids)})
    stimuli.stimulus_paths = dict(zip(ids, map(Path, paths), strict=True))
    stimuli.identifier = name
    return stimuli


def find(where: str, per_class: int | None = None, split: str | None = None) -> ImageSet:
    """Images of a folder or zip (``<class>/<image>``, or below splits), or of a stimulus set by name.

    per_class : use only this many images of every class.
    split : ``val``, ``test``, ...; by default the first of val, valid, validation, test, train that exists.
    """
    if Path(where).expanduser().exists():
        return _from_files(Path(where).expanduser(), per_class, split)
    from brainscore_vision import load_stimulus_set

    from brainscore_granularity import plugins

    try:
        stimuli = load_stimulus_set(where)
    except Exception as error:
        known = ", ".join(plugins.registrations("data", "stimulus_set_registry"))
        raise ValueError(
            f"--images {where}: neither a folder or zip of images nor a stimulus set that can be loaded "
            f"({type(error).__name__}); ours are {known}"
        ) from error
    return from_stimuli(stimuli, None)


def some_classes(images: ImageSet, number: int, seed: int = 0) -> ImageSet:
    """The images of ``number`` classes, drawn at random."""
    classes = [] if images.labels is None else np.unique(images.labels)
    if not 2 <= number <= len(classes):
        raise ValueError(f"{number} classes asked for; {images.name} has {len(classes)}, and at least 2 are needed")
    chosen = np.random.default_rng(seed).choice(classes, number, replace=False)
    rows = np.flatnonzero(np.isin(images.labels, chosen))
    ids, paths = (tuple(each[i] for i in rows) for each in (images.ids, images.paths))
    return ImageSet(images.name, ids, paths, images.labels[rows], images.degrees)


def from_stimuli(stimuli, degrees: float | None) -> ImageSet:
    """The images of a Brain-Score stimulus set."""
    ids = tuple(map(str, stimuli["stimulus_id"]))
    paths = tuple(Path(stimuli.get_stimulus(stimulus)) for stimulus in stimuli["stimulus_id"])
    column = next((name for name in LABELS if name in stimuli.columns), None)
    labels = None if column is None else np.asarray([str(value) for value in stimuli[column]])
    return ImageSet(str(stimuli.identifier).split("--")[0], ids, paths, labels, degrees)


def of_benchmarks(benchmarks) -> ImageSet:
    """The images that RSA benchmarks show, which must be the same for all."""
    first = benchmarks[0]
    for other in benchmarks:
        if other.groups is not None:
            raise MixedImages(f"{other.identifier} averages images of a concept; analyses need one row per image")
        if tuple(other.order) != tuple(first.order) or other.visual_degrees != first.visual_degrees:
            raise MixedImages(
                f"mixed image sets: {first.identifier} shows {len(first.order)} images of "
                f"{_name(first)}, {other.identifier} {len(other.order)} of {_name(other)}; analyse benchmarks of one "
                "image set at a time"
            )
    return from_stimuli(first.stimulus_set, first.visual_degrees)


def _name(benchmark) -> str:
    return str(benchmark.stimulus_set.identifier).split("--")[0]


def _from_files(path: Path, per_class: int | None, split: str | None) -> ImageSet:
    from brainscore_granularity.training.data import sources

    source = _any_split(sources, path, per_class) if split is None else _split(sources, path, split, per_class)
    files = []
    for i, (container, member) in enumerate(source.places):
        file = Path(container, member)
        if not Path(container).is_dir():  # in a zip
            file = home() / "stimuli" / f"{path.stem}-{source.fingerprint[:12]}" / source.names[i]
            if not file.exists():
                write_atomically(file, source.read(i), durable=False)
        files.append(file)
    labels = np.asarray([source.classes[label] for label in source.labels])
    return ImageSet(path.stem, source.names, tuple(files), labels)


def _any_split(sources, path, per_class):
    for split in ("val", "valid", "validation", "test"):
        try:
            return _split(sources, path, split, per_class)
        except sources.NoSplit:
            continue
    return _split(sources, path, "train", per_class)


def _split(sources, path, split, per_class):
    return sources.find(path, split=split, images_per_class=per_class)
