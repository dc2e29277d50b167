"""Benchmarks on macaque V4 by sessions: what the plugin, the selection of layers and other sessions share."""

from __future__ import annotations

import numpy as np

from brainscore_granularity.datasets import cowley2023
from brainscore_granularity.datasets.references import bibtex

from . import measured_encoding, measured_rsa
from .encoding_benchmark import EncodingBenchmark
from .population_benchmark import PopulationBenchmark
from .population_rsa import PopulationRSA
from .populations import Populations, populations

KINDS = {"rsa": PopulationRSA, "ridge": EncodingBenchmark}
REFERENCES = {"rsa": measured_rsa.METHOD, "ridge": measured_encoding.METHOD}


def on_sessions(
    kind: str,
    sessions: tuple[str, ...] = cowley2023.SESSIONS,
    identifier: str | None = None,
    without: tuple[str, ...] = (),
) -> PopulationBenchmark:
    """RSA or ridge encoding on some sessions, by their names.

    The images fill the model's field of view. Their width does not stand in the files; Brain-Score's own Cowley2026, on
    the same data, has 11.2 degrees, of which a model of 8 degrees would see half.

    Parameters
    ----------
    kind : "rsa" or "ridge".
    sessions : besides the registered ones, any whose files lie in the folder that is named to the data set.
    identifier : default ``Cowley2023.V4-rsa``, with the names of the sessions where they are not the registered ones.
    without : sessions whose images are left out.

    Examples
    --------
    >>> on_sessions("rsa", ("211022",)).identifier
    'Cowley2023.V4-rsa-211022'
    """
    sessions = tuple(sessions)
    named = "" if sessions == cowley2023.SESSIONS else f"-{'+'.join(sessions)}"
    animals = {cowley2023.animal(session) for session in sessions}
    return KINDS[kind](
        identifier=identifier or f"Cowley2023.V4-{kind}{named}",
        version=1,
        region="V4",
        load=lambda: loaded(sessions, without),
        visual_degrees=None,
        bibtex=bibtex("cowley2023compact", *REFERENCES[kind]),
        status=cowley2023.state,
        summary=f"{_several(len(sessions), 'session')}, {_several(len(animals), 'monkey')}",
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
    found = found.of(np.flatnonzero(~found.stimulus_set["stimulus_id"].isin(left_out)))
    if not found.members:
        raise ValueError(f"sessions {', '.join(sessions)} show hardly an image that {', '.join(without)} do not show")
    return found


def _several(n: int, what: str) -> str:
    return f"{n} {what}{'s' if n > 1 else ''}"
