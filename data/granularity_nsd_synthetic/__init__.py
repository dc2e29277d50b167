"""Local builds of NSD-synthetic, made by `granularity data prepare nsd-synthetic`."""

from brainscore_vision import data_registry, stimulus_set_registry

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.sources import stimuli_of


def build(name):
    return store.load(f"Allen2022_fmri_synthetic_local.{name}")


def shown(pattern):
    return stimuli_of(f"Allen2022_fmri_synthetic_local.{pattern}")


data_registry["Allen2022_fmri_synthetic_local.early.test"] = lambda: build("early.test")
data_registry["Allen2022_fmri_synthetic_local.ventral.test"] = lambda: build("ventral.test")

stimulus_set_registry["Allen2022_fmri_synthetic_local.test"] = lambda: shown("*.test")
