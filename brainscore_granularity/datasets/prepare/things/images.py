"""The folder of THINGS images; all builds on THINGS images refer to it, and it is never copied."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from .. import store
from ..registry import DATASETS

WITHIN = ("", "object_images", "images_THINGS/object_images", "images/object_images", "images", "THINGS/object_images")
RECORDED_BY = "Hebart2023_local.spose"  # the build that records where the user keeps the images


def folder(examples: str | Sequence[str], source: Path, given: Path | None = None) -> Path:
    """The folder that holds one folder of images for each concept.

    Parameters
    ----------
    examples : an image or a folder that must be in it, such as ``aardvark/aardvark_01b.jpg``; of several, most.
    source : the folder given by --from; searched if ``given`` is None.
    given : the folder given by --images.

    Returns
    -------
    Absolute path: ``given``, or ``source`` or one of the usual folders below it, or that of an earlier preparation.
    """
    examples = [examples] if isinstance(examples, str) else examples
    places = [given] if given is not None else [source, *_recorded()]
    for place in places:
        found = {below: sum((Path(place) / below / name).exists() for name in examples) for below in WITHIN}
        if any(found.values()):
            return (Path(place) / max(found, key=lambda below: found[below])).absolute()
    things = DATASETS["things"]
    raise FileNotFoundError(
        f"the THINGS images are not in {' nor in '.join(str(place) for place in places)}: {examples[0]} was looked for "
        f"there and in {', '.join(name for name in WITHIN if name)} below. They are under {things.licence}; to get "
        f"them: {things.access}. Then name their folder with --images, or run `{things.command}` first"
    )


def table(paths: list[str]):
    """Stimuli as Brain-Score describes THINGS images; paths such as ``aardvark/aardvark_01b.jpg`` within the folder.

    Returns
    -------
    Data frame with stimulus_id (``aardvark_01b``), label and object_name (the concept), label_idx (its place among
    the sorted concepts of this table) and filename.
    """
    import pandas as pd

    ids = [PurePosixPath(path).stem for path in paths]
    concepts = [concept_of(name) for name in ids]
    place = {concept: i for i, concept in enumerate(sorted(set(concepts)))}
    return pd.DataFrame(
        {
            "stimulus_id": ids,
            "label": concepts,
            "object_name": concepts,
            "label_idx": [place[concept] for concept in concepts],
            "filename": paths,
        }
    )


def presentation(stimuli, repeats: int = 1) -> dict:
    """Presentation coordinates as in Brain-Score's data on THINGS images: each stimulus ``repeats`` times in a row."""
    import numpy as np

    return {
        "stimulus_id": np.repeat(stimuli["stimulus_id"].values, repeats),
        "stimulus_label": np.repeat(stimuli["label"].values, repeats),
        "object_name": np.repeat(stimuli["object_name"].values, repeats),
        "stimulus_label_idx": np.repeat(stimuli["label_idx"].values, repeats),
        "repetition": np.tile(np.arange(repeats), len(stimuli)),
    }


def concept_of(stimulus: str) -> str:
    """Concept of a stimulus: ``camera1`` for ``camera1_01b``, ``camera_lens`` for ``camera_lens_01b``."""
    return stimulus.rsplit("_", 1)[0]


def _recorded() -> list[Path]:
    try:
        return [Path(store.source_of(RECORDED_BY)["inputs"]["images"])]
    except store.Missing:
        return []
