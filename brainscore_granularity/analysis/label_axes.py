"""The principal components along which a network's classes were cut, and the scores of a study's images on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import home, sha256_of
from brainscore_granularity.weights.identifiers import how_to_make

from .base import NotApplicable


class NoAxes(NotApplicable):
    """The features that defined a network's classes are not available."""


@dataclass(frozen=True, eq=False)
class Axes:
    """Scores of images on the components that define the classes.

    source : name of the label source; encoder : its network and layer.
    scores : (images of the study, components).
    medians : (components,) where each was cut, the median of the training images.
    shares : (components,) share of the training images' variance.
    """

    source: str
    encoder: str
    scores: np.ndarray
    medians: np.ndarray
    shares: np.ndarray

    def classes(self, k: int) -> np.ndarray:
        """Class of each image at K, as in the training of the networks; K is limited by the components."""
        from brainscore_granularity.training.labels.rule import nested_labels

        most = 2 ** self.scores.shape[1]
        return nested_labels(self.scores, [min(k, most)], self.medians)[min(k, most)]


def of(study) -> list[Axes]:
    """The axes of every available label source of the study's networks with coarse classes."""
    return study.once("label axes", lambda: _find(study))


def _find(study) -> list[Axes]:
    made, lacking = {}, []
    for model in study.coarse():
        try:
            file = file_of(model)
            if file not in made:
                made[file] = _read(study, model, file)
        except NoAxes as error:
            lacking.append(error)
    if not made:
        nothing = "needs a network whose classes were cut along principal components, such as *_own_k8_s1"
        raise lacking[0] if lacking else NoAxes(nothing)
    return list(made.values())


def inputs(study) -> list:
    """All that results depend on: the files of components, or why there are none."""
    found = {}
    for model in study.coarse():
        try:
            found[sha256_of(file_of(model))] = None
        except NoAxes as error:
            found[str(error)] = None
    return list(found)


def file_of(model: str) -> Path:
    """The file of the components that defined a model's classes, from `granularity labels` or from the model's plugin.

    The description of the model names its label source and the hash of its training images; the components of a source
    are kept under that hash.
    """
    from brainscore_granularity.weights.find import checkpoint_of, plugin_of

    info = checkpoint_of(model).info
    data, source = info.get("data", {}), info.get("recipe", {}).get("labels")
    images = str(data.get("world") or data.get("images") or "")[:12]
    places = [root / "labels" / images / f"{source}_pca.safetensors" for root in (home(), plugin_of(model))]
    for place in places:
        if place.exists():
            return place
    raise NoAxes(
        f"the components that cut the classes of {model} are neither {' nor '.join(map(str, places))}; make them on "
        f"its training images with `granularity labels --source {source}`, which keeps them"
    )


def _read(study, model: str, file: Path) -> Axes:
    from brainscore_granularity.training.labels import files as label_files

    pca, medians, info = label_files.read_pca(file)
    encoder = _encoder(model, info, file)
    features = np.concatenate([_features(encoder, _shown(images)) for images in study.sets])
    shares = pca.variances[: len(medians)] / pca.variances.sum()
    return Axes(info["source"], info["encoder"], pca.scores(features), medians, shares)


def _encoder(model: str, info: dict, file: Path):
    """The network that the components were computed from, with the same weights."""
    from brainscore_granularity.training.labels import encoders as label_encoders
    from brainscore_granularity.weights import checkpoints
    from brainscore_granularity.weights.find import plugin_of

    if info["source"] != "own":
        try:
            encoder = label_encoders.pretrained(info["source"])
        except (FileNotFoundError, ImportError, ValueError) as error:
            raise NoAxes(f"the label source of {model} cannot be used: {error}") from error
        known = [encoder.fingerprint]
    else:
        identifier, _, layer = info["encoder"].rpartition(".")
        stores = [checkpoints.default_store(), plugin_of(model) / "weights"]
        found = [store for store in stores if checkpoints.read(store, identifier)]
        if not found:
            raise NoAxes(
                f"{identifier}, whose features made the classes of {model}, is in neither of "
                f"{', '.join(map(str, stores))}; {how_to_make(identifier)}"
            )
        encoder = label_encoders.own(identifier, found[0], layer)
        # Weights shipped with a plugin are rounded to half precision and record the hash of their original.
        known = [encoder.fingerprint, checkpoints.read(found[0], identifier).info.get("source_sha256")]
    if info["weights"] not in known:
        raise NoAxes(
            f"{file} belongs to weights {info['weights'][:12]} of {info['encoder']}, found: {known[0][:12]}; make the "
            "labels again with `granularity labels`"
        )
    return encoder


def _shown(images) -> list[Path]:
    from brainscore_granularity.brains.model import VISUAL_DEGREES

    return images.shown_at(VISUAL_DEGREES)


def _features(encoder, paths, batch: int = 64) -> np.ndarray:
    """Features of images, (images, features), with rows of length 1, as used for labels."""
    import torch

    from brainscore_granularity.training.data.decode import decode
    from brainscore_granularity.training.labels.rule import unit_length

    device, size, parts = torch.device("cpu"), encoder.image_size, []
    for start in range(0, len(paths), batch):
        pixels = [decode(Path(path).read_bytes(), size, size) for path in paths[start : start + batch]]
        parts.append(encoder(np.stack(pixels), device))
    return unit_length(np.concatenate(parts))
