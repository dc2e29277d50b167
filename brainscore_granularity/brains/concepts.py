"""THINGS at the level of concepts: what people's choices say about 1,854 of them, and the images that show them.

The target is the RDM of the 66-dimensional embedding (SPoSE) that was fitted to people's odd-one-out choices; a
model's features are averaged over the images of a concept. A fifth of the concepts is for choosing layers only. Which
fifth does not depend on the images that are there: concepts without any are left out of either part, and named.
"""

from __future__ import annotations

import numpy as np

from brainscore_granularity import rsa
from brainscore_granularity.datasets import things
from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.prepare.things.concepts import MIN_SHARE, SPOSE, concept_split, listed
from brainscore_granularity.datasets.sources import Source
from brainscore_granularity.download import DataMissing

from .benchmark import RSABenchmark
from .recording import BEHAVIOUR
from .targets import Targets, unknown_ceiling

VISUAL_DEGREES = 8
SELECTION, TEST, ALL = "selection", "test", "all"
SOURCE = Source(local=SPOSE, licence="terms of the THINGS image database")


def rsa_on(identifier: str, split: str, bibtex: str = "") -> RSABenchmark:
    """RSA on the concepts that choose layers ("selection"), on those that score ("test"), or on "all".

    All are for models whose layers were chosen on none of them; others are refused, see `shown`.
    """
    return RSABenchmark(
        identifier=identifier,
        version=1,
        region=BEHAVIOUR,
        load=lambda: targets(split),
        visual_degrees=VISUAL_DEGREES,
        bibtex=bibtex,
        status=status,
        summary="1,484 concepts, one embedding of many people's choices",
        parent="behavior_vision",
    )


def data() -> str:
    """Identifier of the data set: the folder that the user names, or else the local build."""
    return things.DATA if things.named() else SPOSE


def status() -> str:
    """One line on whether the data are here, and how many concepts have images."""
    if things.named():
        return things.status()
    line = SOURCE.status()
    if not line.startswith("ready"):
        return line
    source = store.source_of(SPOSE)
    n, every = (source.get(key) for key in ("concepts", "of_concepts"))
    return line if n == every else f"{line}, images of {n:,} of {every:,} concepts"


def targets(split: str) -> Targets:
    """Targets of the concepts of a split that have images.

    Raises
    ------
    DataMissing
        Where fewer than half of them have.
    """
    from brainscore_vision import load_dataset

    from brainscore_granularity.datasets.assembly import without_time

    assembly = without_time(load_dataset(data())).transpose("presentation", "neuroid")
    concept, first = np.unique(assembly["concept_index"].values, return_index=True)
    embedding = assembly.values[first].astype(np.float64)  # (concepts with images, dimensions), in the owners' order
    every = int(assembly.attrs.get("n_concepts", len(concept)))
    wanted = dict(zip((SELECTION, TEST, ALL), (*concept_split(every), np.arange(every)), strict=True))[split]
    chosen = np.flatnonzero(np.isin(concept, wanted))
    missing = _missing(assembly, concept, wanted)
    if len(chosen) < MIN_SHARE * len(wanted):
        raise DataMissing(
            f"{data()}: images of only {len(chosen)} of the {len(wanted)} concepts for {split}, where at least half "
            f"are needed; there are none of {listed(missing)}"
        )
    names = assembly["concept"].values[first][chosen]
    everything = assembly.attrs["stimulus_set"]
    rows = np.flatnonzero(np.isin(everything["concept_index"].values, concept[chosen]))
    stimuli = everything.iloc[rows].reset_index(drop=True)
    stimuli.stimulus_paths = everything.stimulus_paths
    stimuli.identifier = f"{everything.identifier}--{split}-concepts"
    groups = np.searchsorted(concept[chosen], stimuli["concept_index"].values)
    rdm = rsa.rdm(embedding[chosen], images=names, layer=data())
    return Targets(
        rdm[None], ["all"], stimuli, unknown_ceiling, data(), groups=groups, names=list(names), missing=missing
    )


def _missing(assembly, concept: np.ndarray, wanted: np.ndarray) -> list[str]:
    """Names of the wanted concepts that have no images, in the owners' order."""
    every = int(assembly.attrs.get("n_concepts", len(concept)))
    without = np.setdiff1d(np.arange(every), concept)
    names = str(assembly.attrs.get("missing_concepts", "")).split()
    return [name for index, name in zip(without, names, strict=True) if np.isin(index, wanted)]
