"""Fitted networks: untrained, with batch-norm statistics measured on training images; the baseline of learning.

`granularity fit` calls this. The weights are those of the untrained network with the same id and seed; what is kept is
a file of means and variances and a manifest entry. The command line imports this module when it starts, so heavy
imports are inside the functions.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from brainscore_granularity import plugins
from brainscore_granularity.paths import home
from brainscore_granularity.progress import say
from brainscore_granularity.weights import identifiers

if TYPE_CHECKING:
    from brainscore_granularity.weights.checkpoints import Fitted


def known() -> list[str]:
    """Ids of the fitted networks: each has a registered untrained counterpart that is built from a seed."""
    return [identifiers.fitted_of(name) for name in plugins.registrations("models") if _start(name) is not None]


def select(patterns: Iterable[str]) -> list[str]:
    """Ids that match names or shell patterns; one without a match is an error."""
    chosen: dict[str, None] = {}
    names = known()
    for pattern in patterns:
        if not (matches := fnmatch.filter(names, pattern)):
            nearest = difflib.get_close_matches(pattern, names, n=4, cutoff=0.5) or names[:4]
            raise ValueError(
                f"{pattern!r} matches no network that is built from a seed and can be fitted to images; nearest: "
                f"{', '.join(nearest)}"
            )
        chosen.update(dict.fromkeys(matches))
    return list(chosen)


def fit(patterns: Iterable[str], data: Path, to: Path | None = None, broken: str = "fatal") -> list[Fitted]:
    """Measure the batch-norm statistics of fitted networks on images, and keep them where `find` looks.

    Parameters
    ----------
    patterns : ids of fitted networks, or shell patterns.
    data : training images, or a pack of them; `loop.fitted.IMAGES` of them are used, evenly spread.
    to : folder for ``weights.toml``, ``statistics/`` and ``region_layer_map/``; by default the home folder.

    The region-layer map is that of the untrained network of the same seed, where it has one and ``to`` has none.
    """
    from brainscore_granularity import networks
    from brainscore_granularity.weights import layer_map, manifest

    from .data import inputs
    from .loop import fitted

    to, packs, made = to or home(), {}, []
    for identifier in select(patterns):
        start = _start(identifiers.untrained_of(identifier))
        recipe = {name: start.info[name] for name in ("network", "classes", "initial_seed")}
        network = networks.build(*recipe.values())
        if network.image_size not in packs:
            packs[network.image_size] = inputs.for_network(data, recipe["network"], broken=broken)
        images = packs[network.image_size]
        fitted.fit_statistics(network, images.pixels)
        recipe |= {"images": images.fingerprint, "number": min(fitted.IMAGES, len(images))}
        made.append(manifest.add_statistics(to, identifier, network.state_dict(), recipe))
        folder = plugins.folder_of("models", start.identifier)
        has_map = layer_map.path_of(start, folder) is not None
        if has_map and not (to / layer_map.FOLDER / f"{identifier}.json").exists():
            record = {"layers_of": start.identifier, **layer_map.selected_on(start, folder)}
            layer_map.write(to, identifier, layer_map.read(start, folder), record)
        say(f"{identifier}: statistics of {recipe['number']} images")
    return made


def _start(name: str):
    """The checkpoint of an untrained network; None if the id is not one, or the network is not built from a seed."""
    from brainscore_granularity.weights import checkpoints, manifest

    if identifiers.UNTRAINED not in name:
        return None
    found = manifest.entry(name, plugins.folder_of("models", name))
    return found if isinstance(found, checkpoints.Untrained) else None
