"""Local builds of the THINGS ventral stream spiking dataset, made by `granularity data prepare tvsd`."""

from brainscore_vision import data_registry, stimulus_set_registry

from brainscore_granularity.datasets.prepare.store import load
from brainscore_granularity.datasets.sources import stimuli_of

data_registry["Papale2025_local.V1.train"] = lambda: load("Papale2025_local.V1.train")
data_registry["Papale2025_local.V1.test"] = lambda: load("Papale2025_local.V1.test")
data_registry["Papale2025_local.V4.train"] = lambda: load("Papale2025_local.V4.train")
data_registry["Papale2025_local.V4.test"] = lambda: load("Papale2025_local.V4.test")
data_registry["Papale2025_local.IT.train"] = lambda: load("Papale2025_local.IT.train")
data_registry["Papale2025_local.IT.test"] = lambda: load("Papale2025_local.IT.test")

stimulus_set_registry["Papale2025_local.train"] = lambda: stimuli_of("Papale2025_local.*.train")
stimulus_set_registry["Papale2025_local.test"] = lambda: stimuli_of("Papale2025_local.*.test")
