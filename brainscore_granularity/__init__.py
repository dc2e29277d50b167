"""At what granularity must natural images be carved up for a network to become brain-like?

Importing this package is cheap and lets Brain-Score see its models and benchmarks::

    import brainscore_granularity
    import brainscore_vision
    brainscore_vision.score("granularity_world_own_k2_s1", "World.IT-rsa")
"""

from . import lazy, plugins

__version__ = "0.1.0"

__getattr__, __dir__, _public = lazy.names(
    __name__, {"rdm": ".rsa", "compare": ".rsa", "noise_ceiling": ".stats", "score_grid": ".runner"}
)
__all__ = ["__version__", *_public]

plugins.switch_on()
