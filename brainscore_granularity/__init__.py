"""At what granularity must natural images be carved up for a network to become brain-like?

Importing this package is cheap and lets Brain-Score see its models and benchmarks::

    import brainscore_granularity
    import brainscore_vision
    brainscore_vision.score("granularity_world_own_k2_s1", "World.IT-rsa")
"""

from . import plugins

__version__ = "0.1.0"
__all__ = ["__version__", "noise_ceiling", "rdm", "compare", "score_grid"]

_PUBLIC = {  # loaded on first use: they import numpy, scipy or Brain-Score
    "rdm": "rsa",
    "compare": "rsa",
    "noise_ceiling": "stats",
    "score_grid": "runner",
}

plugins.switch_on()


def __getattr__(name):
    if name in _PUBLIC:
        from importlib import import_module

        return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
