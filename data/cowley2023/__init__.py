"""Spike counts of macaque V4 to natural images, a data set for each recording session."""

from brainscore_vision import data_registry, stimulus_set_registry

from brainscore_granularity.datasets.cowley2023 import assembly, stimulus_set, stimulus_sets

stimulus_set_registry["Cowley2023"] = lambda: stimulus_sets()
stimulus_set_registry["Cowley2023.190923"] = lambda: stimulus_set("190923")
stimulus_set_registry["Cowley2023.201025"] = lambda: stimulus_set("201025")
stimulus_set_registry["Cowley2023.210225"] = lambda: stimulus_set("210225")
stimulus_set_registry["Cowley2023.210325"] = lambda: stimulus_set("210325")

data_registry["Cowley2023.190923"] = lambda: assembly("190923")
data_registry["Cowley2023.201025"] = lambda: assembly("201025")
data_registry["Cowley2023.210225"] = lambda: assembly("210225")
data_registry["Cowley2023.210325"] = lambda: assembly("210325")
