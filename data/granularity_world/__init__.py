"""The embedded world: drawn images and simulated subjects. Nothing is downloaded."""

from brainscore_vision import data_registry, stimulus_set_registry

from brainscore_granularity.world.assemblies import choices, neural, stimulus_set

stimulus_set_registry["World"] = lambda: stimulus_set("World")
stimulus_set_registry["World_selection"] = lambda: stimulus_set("World_selection")

# The coarse brain is the default; the fine and the null brain see the same images.
data_registry["World.V1"] = lambda: neural("World", "coarse", "V1")
data_registry["World.IT"] = lambda: neural("World", "coarse", "IT")
data_registry["World_fine.IT"] = lambda: neural("World", "fine", "IT")
data_registry["World_null.IT"] = lambda: neural("World", "null", "IT")
data_registry["World.triplet"] = lambda: choices("World", "coarse")
data_registry["World_fine.triplet"] = lambda: choices("World", "fine")
data_registry["World_null.triplet"] = lambda: choices("World", "null")

# Other images and other subjects: layers are chosen on these and never scored on them.
data_registry["World_selection.V1"] = lambda: neural("World_selection", "balanced", "V1")
data_registry["World_selection.V2"] = lambda: neural("World_selection", "balanced", "V2")
data_registry["World_selection.V4"] = lambda: neural("World_selection", "balanced", "V4")
data_registry["World_selection.IT"] = lambda: neural("World_selection", "balanced", "IT")
data_registry["World_selection.triplet"] = lambda: choices("World_selection", "balanced")
