"""Public names of a package that are imported when they are first used, so that importing the package stays cheap."""

from __future__ import annotations

import sys
from importlib import import_module


def names(package: str, homes: dict[str, str]):
    """The functions ``__getattr__`` and ``__dir__`` of a package (PEP 562), and its ``__all__``.

    homes : {public name: module that defines it}, modules relative to the package, such as ``".run"``.
    """

    def getattr_(name: str):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; public names: {', '.join(homes)}")
        return getattr(import_module(homes[name], package), name)

    def dir_() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return getattr_, dir_, list(homes)
