"""Local builds of THINGS images, embedding and choices, made by `granularity data prepare things`."""

from brainscore_vision import data_registry, stimulus_set_registry

from brainscore_granularity.datasets.prepare.store import load
from brainscore_granularity.datasets.sources import stimuli_of

data_registry["Hebart2023_local.spose"] = lambda: load("Hebart2023_local.spose")
data_registry["Hebart2023_local.triplet"] = lambda: load("Hebart2023_local.triplet")

stimulus_set_registry["Hebart2023_local.images"] = lambda: stimuli_of("Hebart2023_local.spose")
stimulus_set_registry["Hebart2023_local.concepts"] = lambda: stimuli_of("Hebart2023_local.triplet")
