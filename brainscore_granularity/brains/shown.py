"""What stimuli show, whatever they are called: guards a score against images on which layers were chosen.

Ids tell nothing: ``aardvark_01b`` of one data set is ``0`` of another. Stimuli are the same if they share any of

- ``picture``: a column of the stimulus set in which a data set declares which picture each stimulus is. Use one name
  for one picture in all data sets that show it, also where backgrounds, sizes or formats differ, which no hash can see.
- ``pixels``: the hash of the decoded image, so that neither a file's name nor its format matters.
- ``concept``: only for benchmarks and selections of behaviour whose stimulus set names concepts. People's choices about
  concepts are shared by all pictures of a concept.
"""

from __future__ import annotations

import hashlib
import os

import numpy as np
from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet

CONCEPT_COLUMNS = ("concept", "unique_id")  # ours, Brain-Score's
MIN_LEFT = 0.5  # share of the rows that must be left where shared ones are left out

_pixels: dict[tuple, str] = {}


class SelectionLeak(ValueError):
    """A model would be scored on stimuli on which its layers were chosen."""


def pixels(path) -> str:
    """Hash of an image as it is decoded; decoded again only when the file's size or time of change differ."""
    from PIL import Image

    status = os.stat(path)
    key = (str(path), status.st_size, status.st_mtime_ns)
    if key not in _pixels:
        with Image.open(path) as image:
            values = np.asarray(image.convert("RGB"))
        digest = hashlib.blake2b(values.tobytes(), digest_size=16, key=repr(values.shape).encode())
        _pixels[key] = digest.hexdigest()
    return _pixels[key]


def identities(stimuli, order, concepts: bool = False) -> list[frozenset[str]]:
    """All that tells what each stimulus shows, in ``order``.

    Parameters
    ----------
    stimuli : stimulus set.
    order : stimulus ids.
    concepts : whether what is scored is about the concepts that the stimuli stand for.
    """
    rows = stimuli.set_index("stimulus_id", drop=False).loc[list(order)]
    found = [{f"pixels:{pixels(stimuli.get_stimulus(stimulus))}"} for stimulus in order]
    columns = {"picture": "picture"} if "picture" in rows else {}
    columns |= {name: "concept" for name in CONCEPT_COLUMNS if concepts and name in rows}
    for name, kind in columns.items():
        for own, value in zip(found, rows[name].values, strict=True):
            if value == value and value is not None:  # NaN: not declared for this one
                own.add(f"{kind}:{value}")
    return [frozenset(own) for own in found]


def with_pictures(stimuli: StimulusSet, family: str | None) -> StimulusSet:
    """The stimulus set with the column ``picture``, made of ids that several data sets share.

    family : what the ids are of, such as "nsd"; None, or a column that is there: as it is.
    """
    if family is None or "picture" in stimuli:
        return stimuli
    declared = StimulusSet(stimuli.copy(deep=True))
    declared["picture"] = [f"{family}/{stimulus}" for stimulus in stimuli["stimulus_id"]]
    declared.stimulus_paths, declared.identifier = stimuli.stimulus_paths, stimuli.identifier
    return declared


def unshared_rows(candidate, benchmark) -> np.ndarray | None:
    """Rows of a benchmark that did not choose the layer that a model committed to its region; None: all of them.

    Our models know what their layers were chosen on: ``selection_shown`` and, of records made before there were
    identities, ``selection_stimuli``, {region: ids}; of Brain-Score's own nothing is known.

    Raises
    ------
    SelectionLeak
        Where some did. With ``benchmark.shared = "leave out"`` they are left out, as long as half of the rows remain.
    """
    region, order = benchmark.region, benchmark.order
    chosen_on = frozenset(getattr(candidate, "selection_shown", {}).get(region, ()))
    ids = frozenset(map(str, getattr(candidate, "selection_stimuli", {}).get(region, ())))
    if chosen_on:
        shared = np.array([not chosen_on.isdisjoint(own) for own in benchmark.shows])
    else:
        shared = np.array([str(stimulus) in ids for stimulus in order])
    if not shared.any():
        return None
    rows = shared if benchmark.groups is None else np.bincount(benchmark.groups, shared) > 0
    if benchmark.shared == "leave out" and np.mean(~rows) >= MIN_LEFT:
        return np.flatnonzero(~rows)
    too_few = f", and only {np.sum(~rows)} of {len(rows)} rows would be left" if benchmark.shared != "refuse" else ""
    raise SelectionLeak(
        f"{candidate.identifier}: its layer for {region} was chosen on {shared.sum()} of the {len(order)} stimuli "
        f"of {benchmark.identifier}, such as {min(map(str, np.asarray(order)[shared]))}, by what they show: the score "
        f"would be too good{too_few}. Choose it on other stimuli: `granularity commit {candidate.identifier} "
        "--selection NAME`, or on the other half of these: `granularity score --layers cv`"
    )
