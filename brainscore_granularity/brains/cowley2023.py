"""Benchmarks on macaque V4 by sessions: what the plugin and the selection of layers share."""

from __future__ import annotations

import numpy as np

from brainscore_granularity.datasets import cowley2023
from brainscore_granularity.datasets.references import bibtex

from .encoding_benchmark import EncodingBenchmark
from .population_rsa import PopulationRSA
from .populations import Populations, populations

RSA, RIDGE = "rsa", "ridge"
METHODS = {RSA: ("kriegeskorte2008representational",), RIDGE: ()}
KINDS = {RSA: PopulationRSA, RIDGE: EncodingBenchmark}


def on_sessions(identifier: str, kind: str, sessions: tuple[str, ...], without: tuple[str, ...] = ()):
    """RSA or ridge encoding on some sessions, by their names.

    The images fill the model's field of view: they were shown on the receptive fields of the units, outside of the
    centre of gaze, and how wide does not stand in the files.

    Parameters
    ----------
    kind : "rsa" or "ridge".
    without : sessions whose images are left out.
    """
    animals = list(dict.fromkeys(cowley2023.animal(session) for session in sessions))
    return KINDS[kind](
        identifier=identifier,
        version=1,
        region="V4",
        load=lambda: loaded(sessions, without),
        visual_degrees=None,
        bibtex=bibtex("cowley2023compact", "mehta2026coarse", *METHODS[kind]),
        status=cowley2023.state,
        summary=f"{len(sessions)} sessions, {len(animals)} {'monkeys' if len(animals) > 1 else 'monkey'}",
    )


def loaded(sessions: tuple[str, ...], without: tuple[str, ...] = ()) -> Populations:
    """The populations of some sessions; registered ones are loaded as Brain-Score does."""
    from brainscore_vision import load_dataset

    known = cowley2023.SESSIONS
    assemblies = [load_dataset(f"Cowley2023.{s}") if s in known else cowley2023.assembly(s) for s in sessions]
    found = populations("Cowley2023", assemblies)
    if not without:
        return found
    left_out = cowley2023.stimulus_sets(without)["stimulus_id"]
    return found.of(np.flatnonzero(~found.stimulus_set["stimulus_id"].isin(left_out)))
