"""Local builds of the THINGS ventral stream spiking dataset, made by `granularity data prepare tvsd`."""

from brainscore_vision import data_registry, stimulus_set_registry

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.sources import stimuli_of


def build(name):
    return store.load(f"Papale2025_local.{name}")


def shown(pattern):
    return stimuli_of(f"Papale2025_local.{pattern}")


data_registry["Papale2025_local.V1.train"] = lambda: build("V1.train")
data_registry["Papale2025_local.V1.test"] = lambda: build("V1.test")
data_registry["Papale2025_local.V4.train"] = lambda: build("V4.train")
data_registry["Papale2025_local.V4.test"] = lambda: build("V4.test")
data_registry["Papale2025_local.IT.train"] = lambda: build("IT.train")
data_registry["Papale2025_local.IT.test"] = lambda: build("IT.test")

stimulus_set_registry["Papale2025_local.train"] = lambda: shown("*.train")
stimulus_set_registry["Papale2025_local.test"] = lambda: shown("*.test")
