"""How Brain-Score finds our plugins: the only hook into Brain-Score.

Brain-Score loads a plugin by scanning the text of ``brainscore_vision/<type>/*/__init__.py`` for a literal
registration. Our plugins live in this package instead, so that an install never writes into Brain-Score's
folder. ``switch_on`` puts a finder on ``sys.meta_path`` that waits for Brain-Score's
``import_plugin`` module; when a program imports it, ``ImportPlugin.locate_plugin`` is extended to look in our
folders too. An installed wheel switches the hook on at interpreter start through a one-line ``.pth`` file; an
editable install does it on ``import brainscore_granularity``.

This module runs at every interpreter start: it imports nothing but ``sys``.
"""

import sys

TARGET = "brainscore_core.plugin_management.import_plugin"
LIBRARY = "brainscore_vision"
PLUGIN_TYPES = ("models", "benchmarks", "data")


class PluginClash(Exception):
    """An identifier or folder name is registered both by Brain-Score and by this package."""


class _WaitForBrainScore:
    """Meta path finder that patches ``TARGET`` right after its import, at no cost before."""

    def find_spec(self, name, path=None, target=None):
        if name != TARGET:
            return None
        sys.meta_path.remove(self)
        from importlib.util import find_spec

        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module):
                run(module)
                _extend(module.ImportPlugin)

            spec.loader.exec_module = exec_module
        return spec


def switch_on() -> None:
    """Make Brain-Score see our plugins in this process. Safe to call again."""
    if TARGET in sys.modules:
        _extend(sys.modules[TARGET].ImportPlugin)
    elif not any(isinstance(finder, _WaitForBrainScore) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WaitForBrainScore())


def is_on() -> bool:
    """Whether Brain-Score in this process sees (or will see, once imported) our plugins."""
    if TARGET in sys.modules:
        return hasattr(sys.modules[TARGET].ImportPlugin.locate_plugin, "granularity")
    return any(isinstance(finder, _WaitForBrainScore) for finder in sys.meta_path)


def plugin_directory(plugin_type: str):
    """Our folder of plugins of one type: inside the installed package, or beside it in a checkout."""
    from pathlib import Path

    package = Path(__file__).resolve().parent
    installed = package / "_plugins" / plugin_type
    return installed if installed.is_dir() else package.parent / plugin_type


def registrations(plugin_type: str, registry: str | None = None) -> dict[str, str]:
    """Our literal registrations, {identifier: plugin folder name}, read as Brain-Score reads them.

    registry : "model_registry", "benchmark_registry", "data_registry" or "stimulus_set_registry";
        by default the one named after the plugin type.
    """
    registry = registry or plugin_type.removesuffix("s") + "_registry"
    found: dict[str, str] = {}
    for identifier, folder in scan(plugin_directory(plugin_type), registry):
        if found.setdefault(identifier, folder) != folder:
            raise PluginClash(f"{identifier} is registered in {found[identifier]} and in {folder}")
    return found


def folder_of(plugin_type: str, identifier: str):
    """Folder of our plugin that registers an identifier, or None."""
    folder = registrations(plugin_type).get(identifier)
    return None if folder is None else plugin_directory(plugin_type) / folder


def scan(directory, registry: str):
    """(identifier, plugin folder name) of every literal registration in a folder of plugins."""
    import re

    pattern = re.compile(re.escape(registry) + r"\[['\"]([^'\"\]]+)['\"]\]")
    for init in sorted(directory.glob("[!._]*/__init__.py")):
        for identifier in pattern.findall(init.read_text(encoding="utf-8")):
            yield identifier, init.parent.name


def _extend(import_plugin_class) -> None:
    theirs = import_plugin_class.locate_plugin
    if hasattr(theirs, "granularity"):
        return

    def locate_plugin(self):
        in_brainscore = self.plugins_dir.parent.name == LIBRARY and self.plugin_type in PLUGIN_TYPES
        folder = registrations(self.plugin_type, self.registry_name).get(self.identifier) if in_brainscore else None
        if folder is None:
            return theirs(self)
        _refuse_clash(self, theirs, folder)
        _add_to_search_path(self.plugin_type)
        self.plugins_dir = plugin_directory(self.plugin_type)
        return folder

    locate_plugin.granularity = True
    import_plugin_class.locate_plugin = locate_plugin


def _refuse_clash(importer, theirs, folder: str) -> None:
    """Raise if one of Brain-Score's own plugins has our identifier or our folder name."""
    ours = plugin_directory(importer.plugin_type) / folder
    rename = "One of the two must be renamed; update both packages, or uninstall one."
    if (importer.plugins_dir / folder).is_dir():
        raise PluginClash(
            f"two {importer.plugin_type} plugins have the folder name {folder!r}: "
            f"{importer.plugins_dir / folder} (Brain-Score) and {ours} (brainscore_granularity). {rename}"
        )
    try:
        other = theirs(importer)
    except AssertionError:  # how Brain-Score says "not registered here"
        return
    raise PluginClash(
        f"{importer.identifier!r} is registered twice: in {importer.plugins_dir / other} (Brain-Score) "
        f"and in {ours} (brainscore_granularity). {rename}"
    )


def _add_to_search_path(plugin_type: str) -> None:
    """Let ``import brainscore_vision.<type>.<our folder>`` work; Brain-Score's own folders come first."""
    from importlib import import_module

    search_path = import_module(f"{LIBRARY}.{plugin_type}").__path__
    if (ours := str(plugin_directory(plugin_type))) not in search_path:
        search_path.append(ours)
