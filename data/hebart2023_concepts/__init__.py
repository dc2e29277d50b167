"""The embedding of THINGS concepts with the images in the folder that BRAINSCORE_GRANULARITY_THINGS names."""

from brainscore_vision import data_registry, stimulus_set_registry

from brainscore_granularity.datasets.things import embedding, stimulus_set

stimulus_set_registry["Hebart2023_concepts"] = lambda: stimulus_set()
data_registry["Hebart2023_concepts"] = lambda: embedding()
