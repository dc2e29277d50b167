"""Local builds of THINGS-fMRI, made by `granularity data prepare things-fmri`."""

from brainscore_vision import data_registry, stimulus_set_registry

from brainscore_granularity.datasets.prepare.store import load
from brainscore_granularity.datasets.sources import stimuli_of

data_registry["Hebart2023_fmri_local.V1.train"] = lambda: load("Hebart2023_fmri_local.V1.train")
data_registry["Hebart2023_fmri_local.V1.test"] = lambda: load("Hebart2023_fmri_local.V1.test")
data_registry["Hebart2023_fmri_local.V1.concepts720"] = lambda: load("Hebart2023_fmri_local.V1.concepts720")
data_registry["Hebart2023_fmri_local.V2.train"] = lambda: load("Hebart2023_fmri_local.V2.train")
data_registry["Hebart2023_fmri_local.V2.test"] = lambda: load("Hebart2023_fmri_local.V2.test")
data_registry["Hebart2023_fmri_local.V2.concepts720"] = lambda: load("Hebart2023_fmri_local.V2.concepts720")
data_registry["Hebart2023_fmri_local.V4.train"] = lambda: load("Hebart2023_fmri_local.V4.train")
data_registry["Hebart2023_fmri_local.V4.test"] = lambda: load("Hebart2023_fmri_local.V4.test")
data_registry["Hebart2023_fmri_local.V4.concepts720"] = lambda: load("Hebart2023_fmri_local.V4.concepts720")
data_registry["Hebart2023_fmri_local.LOC.train"] = lambda: load("Hebart2023_fmri_local.LOC.train")
data_registry["Hebart2023_fmri_local.LOC.test"] = lambda: load("Hebart2023_fmri_local.LOC.test")
data_registry["Hebart2023_fmri_local.LOC.concepts720"] = lambda: load("Hebart2023_fmri_local.LOC.concepts720")
data_registry["Hebart2023_fmri_local.IT.train"] = lambda: load("Hebart2023_fmri_local.IT.train")
data_registry["Hebart2023_fmri_local.IT.test"] = lambda: load("Hebart2023_fmri_local.IT.test")
data_registry["Hebart2023_fmri_local.IT.concepts720"] = lambda: load("Hebart2023_fmri_local.IT.concepts720")

stimulus_set_registry["Hebart2023_fmri_local.train"] = lambda: stimuli_of("Hebart2023_fmri_local.*.train")
stimulus_set_registry["Hebart2023_fmri_local.test"] = lambda: stimuli_of("Hebart2023_fmri_local.*.test")
stimulus_set_registry["Hebart2023_fmri_local.concepts720"] = lambda: stimuli_of("Hebart2023_fmri_local.*.concepts720")
