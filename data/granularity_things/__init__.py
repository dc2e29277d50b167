"""Local builds of THINGS images, embedding and choices, made by `granularity data prepare things`."""

from brainscore_vision import data_registry, stimulus_set_registry

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.sources import stimuli_of


def build(name):
    return store.load(f"Hebart2023_local.{name}")


def shown(pattern):
    return stimuli_of(f"Hebart2023_local.{pattern}")


data_registry["Hebart2023_local.spose"] = lambda: build("spose")
data_registry["Hebart2023_local.triplet"] = lambda: build("triplet")

stimulus_set_registry["Hebart2023_local.images"] = lambda: shown("spose")
stimulus_set_registry["Hebart2023_local.concepts"] = lambda: shown("triplet")
