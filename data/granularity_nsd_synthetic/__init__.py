"""Local builds of NSD-synthetic, made by `granularity data prepare nsd-synthetic`."""

from brainscore_vision import data_registry, stimulus_set_registry

from brainscore_granularity.datasets.prepare.store import load
from brainscore_granularity.datasets.sources import stimuli_of

data_registry["Allen2022_fmri_synthetic_local.early.test"] = lambda: load("Allen2022_fmri_synthetic_local.early.test")
data_registry["Allen2022_fmri_synthetic_local.ventral.test"] = lambda: load(
    "Allen2022_fmri_synthetic_local.ventral.test"
)

stimulus_set_registry["Allen2022_fmri_synthetic_local.test"] = lambda: stimuli_of(
    "Allen2022_fmri_synthetic_local.*.test"
)
