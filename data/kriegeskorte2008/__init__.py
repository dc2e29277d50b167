"""92 object images with macaque spiking, human fMRI and human judgments, all as published RDMs."""

from brainscore_vision import data_registry, stimulus_set_registry

from brainscore_granularity.datasets.kriegeskorte2008 import rdms, stimulus_set

stimulus_set_registry["Kriegeskorte2008"] = lambda: stimulus_set()

data_registry["Kriegeskorte2008.hIT"] = lambda: rdms("hIT")
data_registry["Kriegeskorte2008.mIT"] = lambda: rdms("mIT")
data_registry["Kriegeskorte2008.judgment"] = lambda: rdms("judgment")
