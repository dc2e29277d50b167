"""THINGS at the level of concepts: what people's choices say about 1,854 of them, and the images that show them.

The target is the RDM of the 66-dimensional embedding (SPoSE) that was fitted to people's odd-one-out choices; a
model's features are averaged over the images of a concept. A fifth of the concepts is for choosing layers only.
"""

from __future__ import annotations

import numpy as np

from brainscore_granularity import rsa

from .targets import Targets, unknown_ceiling

DATA = "Hebart2023_local.spose"
VISUAL_DEGREES = 8
SELECTION, TEST = "selection", "test"


def targets(split: str) -> Targets:
    """Targets of the concepts that choose layers ("selection") or of those that score ("test")."""
    from brainscore_vision import load_dataset

    from brainscore_granularity.datasets.assembly import without_time
    from brainscore_granularity.datasets.prepare.things.concepts import concept_split

    assembly = without_time(load_dataset(DATA)).transpose("presentation", "neuroid")
    concept, first = np.unique(assembly["concept_index"].values, return_index=True)
    embedding = assembly.values[first].astype(np.float64)  # (concepts, dimensions), in the owners' order
    chosen = dict(zip((SELECTION, TEST), concept_split(len(concept)), strict=True))[split]
    names = assembly["concept"].values[first][chosen]
    everything = assembly.attrs["stimulus_set"]
    rows = np.flatnonzero(np.isin(everything["concept_index"].values, concept[chosen]))
    stimuli = everything.iloc[rows].reset_index(drop=True)
    stimuli.stimulus_paths = everything.stimulus_paths
    stimuli.identifier = f"{everything.identifier}--{split}-concepts"
    groups = np.searchsorted(concept[chosen], stimuli["concept_index"].values)
    rdm = rsa.rdm(embedding[chosen], images=names, layer=DATA)
    return Targets(rdm[None], ["all"], stimuli, unknown_ceiling, DATA, groups=groups, names=list(names))
