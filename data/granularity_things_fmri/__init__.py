"""Local builds of THINGS-fMRI, made by `granularity data prepare things-fmri`."""

from brainscore_vision import data_registry, stimulus_set_registry

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.sources import stimuli_of


def build(name):
    return store.load(f"Hebart2023_fmri_local.{name}")


def shown(pattern):
    return stimuli_of(f"Hebart2023_fmri_local.{pattern}")


data_registry["Hebart2023_fmri_local.V1.train"] = lambda: build("V1.train")
data_registry["Hebart2023_fmri_local.V1.test"] = lambda: build("V1.test")
data_registry["Hebart2023_fmri_local.V1.concepts720"] = lambda: build("V1.concepts720")
data_registry["Hebart2023_fmri_local.V2.train"] = lambda: build("V2.train")
data_registry["Hebart2023_fmri_local.V2.test"] = lambda: build("V2.test")
data_registry["Hebart2023_fmri_local.V2.concepts720"] = lambda: build("V2.concepts720")
data_registry["Hebart2023_fmri_local.V4.train"] = lambda: build("V4.train")
data_registry["Hebart2023_fmri_local.V4.test"] = lambda: build("V4.test")
data_registry["Hebart2023_fmri_local.V4.concepts720"] = lambda: build("V4.concepts720")
data_registry["Hebart2023_fmri_local.LOC.train"] = lambda: build("LOC.train")
data_registry["Hebart2023_fmri_local.LOC.test"] = lambda: build("LOC.test")
data_registry["Hebart2023_fmri_local.LOC.concepts720"] = lambda: build("LOC.concepts720")
data_registry["Hebart2023_fmri_local.IT.train"] = lambda: build("IT.train")
data_registry["Hebart2023_fmri_local.IT.test"] = lambda: build("IT.test")
data_registry["Hebart2023_fmri_local.IT.concepts720"] = lambda: build("IT.concepts720")

stimulus_set_registry["Hebart2023_fmri_local.train"] = lambda: shown("*.train")
stimulus_set_registry["Hebart2023_fmri_local.test"] = lambda: shown("*.test")
stimulus_set_registry["Hebart2023_fmri_local.concepts720"] = lambda: shown("*.concepts720")
