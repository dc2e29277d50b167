"""Weights that do not travel with the package: published under a URL, or made from a seed.

``weights.toml``, beside a model plugin or in `home()`, has one table a model::

    [granularity_imagenet_clip_k8_s1]
    network = "alexnet_bn"
    classes = 8
    url = "https://example.org/granularity_imagenet_clip_k8_s1-3f5b4db1f295.safetensors"
    sha256 = "3f5b4db1f295..."
    bytes = 68000000

    [granularity_imagenet_untrained_s1]
    network = "alexnet_bn"
    classes = 1000
    initial_seed = 1

A published file is fetched when its model is loaded, checked, and kept in the user's store. An untrained network is
built from its seed each time. ``granularity publish`` writes the file.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from brainscore_granularity.paths import home, write_atomically

from . import checkpoints

MANIFEST = "weights.toml"
_KINDS = ({"url", "sha256", "bytes"}, {"initial_seed"})


def entry(identifier: str, plugin: Path | None = None) -> checkpoints.Checkpoint | None:
    """The entry of a model in the user's manifest or, failing that, in its plugin's; nothing is fetched."""
    for folder in (home(), plugin):
        if folder is not None and (found := read(folder / MANIFEST).get(identifier)):
            return _checkpoint(identifier, found)
    return None


def read(path: Path) -> dict[str, dict]:
    """{model: entry} of a manifest, empty where there is none; an entry that says too little is an error."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise checkpoints.CheckpointError(f"{path} is not a manifest of weights: {error}") from error
    for identifier, entry in entries.items():
        found = set(entry) if isinstance(entry, dict) else set()
        wanted = next((kind for kind in _KINDS if kind & found), _KINDS[0]) | {"network", "classes"}
        if missing := sorted(wanted - found):
            raise checkpoints.CheckpointError(f"{path}: {identifier} lacks {', '.join(missing)}")
    return entries


def publish(
    folder: Path, models: Iterable[checkpoints.Checkpoint], base_url: str | None
) -> list[checkpoints.Checkpoint]:
    """Copy checkpoints in half precision to a folder; given where it will be served, write its manifest too.

    Every copy is read back, checked, and loaded into its network before the manifest is written.

    base_url : the address below which the files will be found.
    """
    copies = []
    for checkpoint in models:
        info = {**checkpoint.info, "source_sha256": checkpoint.sha256}
        info.pop("identifier", None)
        copy = checkpoints.save(folder, checkpoint.identifier, checkpoint.state_dict(), info, half=True)
        copy.network()  # reads the file back
        copies.append(copy)
    if base_url:
        entries = {
            copy.identifier: {
                "network": copy.info["network"],
                "classes": copy.info["classes"],
                "url": f"{base_url.rstrip('/')}/{copy.weights.name}",
                "sha256": copy.sha256,
                "bytes": copy.weights.stat().st_size,
            }
            for copy in copies
        }
        write_atomically(folder / MANIFEST, _toml(entries))
        read(folder / MANIFEST)
    return copies


def _checkpoint(identifier: str, entry: dict) -> checkpoints.Checkpoint:
    if "initial_seed" in entry:
        recipe = json.dumps([entry["network"], entry["classes"], entry["initial_seed"]])
        sha256 = hashlib.sha256(recipe.encode()).hexdigest()
        weights = checkpoints.default_store() / f"{identifier}-{sha256[:12]}.initial"
        return checkpoints.Untrained(identifier, weights, sha256, entry)
    weights = checkpoints.default_store() / f"{identifier}-{entry['sha256'][:12]}.safetensors"
    return checkpoints.Published(identifier, weights, entry["sha256"], entry)


def _toml(entries: dict[str, dict]) -> str:
    """TOML of flat tables of words and whole numbers; JSON writes both as TOML does."""
    lines = []
    for identifier, entry in entries.items():
        if not re.fullmatch(r"[A-Za-z0-9_]+", identifier):
            raise ValueError(f"{identifier} cannot name a table of {MANIFEST}: letters, digits and underscores only")
        lines += [f"[{identifier}]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items()), ""]
    return "\n".join(lines)
