"""At what granularity must natural images be carved up for a network to become brain-like?

Importing this package is cheap and lets Brain-Score see its models and benchmarks::

    import brainscore_granularity
    import brainscore_vision
    brainscore_vision.score("granularity_world_own_k2_s1", "World.IT-rsa")
"""

from . import plugins

__version__ = "0.1.0"


def imported_when_used(package: str, homes: dict[str, str]):
    """``__getattr__``, ``__dir__`` and ``__all__`` (PEP 562) of a package whose public names are imported on first use.

    homes : {public name: module that defines it, relative to the package}.
    """

    def __getattr__(name):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; public names: {', '.join(homes)}")
        from importlib import import_module

        return getattr(import_module(homes[name], package), name)

    return __getattr__, lambda: sorted(homes), list(homes)


__getattr__, __dir__, __all__ = imported_when_used(
    __name__, {"rdm": ".rsa", "compare": ".rsa", "noise_ceiling": ".stats", "score_grid": ".runner"}
)
__all__ += ["__version__"]

plugins.switch_on()
