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

    [granularity_tiny_fitted_s1]
    network = "tiny"
    classes = 200
    initial_seed = 1
    statistics = "statistics/granularity_tiny_fitted_s1-6c0b2a1d9e57.safetensors"
    sha256 = "6c0b2a1d9e57..."
    images = "1f9d3c8be2a4..."
    number = 2048

A published file is fetched when its model is loaded, checked, and kept in the user's store. An untrained network is
built from its seed each time; one with fitted statistics too, and then given batch norm's running means and variances
from a file below the manifest's folder, which were taken from ``number`` images (their fingerprint is ``images``).
``granularity publish`` writes the file, ``granularity fit`` adds to it.
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
STATISTICS = "statistics"  # the folder beside it
_KINDS = {  # by the word that tells them apart; the last is what an entry without any of them should have been
    "statistics": {"initial_seed", "statistics", "sha256", "images", "number"},
    "initial_seed": {"initial_seed"},
    "url": {"url", "sha256", "bytes"},
}


def entry(identifier: str, plugin: Path | None = None) -> checkpoints.Checkpoint | None:
    """The entry of a model in the user's manifest or, failing that, in its plugin's; nothing is fetched."""
    for folder in (home(), plugin):
        if folder is not None and (found := read(folder / MANIFEST).get(identifier)):
            return _checkpoint(identifier, found, folder)
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
        wanted = _KINDS[next((word for word in _KINDS if word in found), "url")] | {"network", "classes"}
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


def add_statistics(folder: Path, identifier: str, state_dict: dict, recipe: dict) -> checkpoints.Checkpoint:
    """Keep a network's statistics below a folder, and name them in its manifest; what else stands there stays.

    recipe : network, classes, initial_seed, images (fingerprint) and number (of images).
    """
    import safetensors.torch

    kept = {name: t.detach().cpu().float().contiguous() for name, t in checkpoints.statistics_of(state_dict).items()}
    if not kept:
        raise ValueError(f"{recipe['network']} has no batch norm: {identifier} would be the untrained network")
    content = safetensors.torch.save(kept)
    sha256 = hashlib.sha256(content).hexdigest()
    file = folder / STATISTICS / f"{identifier}-{sha256[:12]}.safetensors"
    write_atomically(file, content)
    entry = {**recipe, "statistics": f"{STATISTICS}/{file.name}", "sha256": sha256}
    path = folder / MANIFEST
    read(path)  # one that is damaged is not written over
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    others = re.sub(rf"^\[{identifier}\]\n(?:(?!\[|#).*(?:\n|\Z))*", "", before, flags=re.M).rstrip()
    write_atomically(path, f"{others}\n\n{_toml({identifier: entry})}".lstrip())
    for old in (folder / STATISTICS).glob(f"{identifier}-{'?' * 12}.safetensors"):
        if old != file:
            old.unlink(missing_ok=True)
    return _checkpoint(identifier, read(path)[identifier], folder)


def _checkpoint(identifier: str, entry: dict, folder: Path) -> checkpoints.Checkpoint:
    if "initial_seed" in entry:
        recipe = [entry["network"], entry["classes"], entry["initial_seed"]]
        if "statistics" in entry:
            sha256 = _hash([*recipe, entry["sha256"]])
            return checkpoints.Fitted(identifier, folder / entry["statistics"], sha256, entry)
        sha256 = _hash(recipe)
        weights = checkpoints.default_store() / f"{identifier}-{sha256[:12]}.initial"
        return checkpoints.Untrained(identifier, weights, sha256, entry)
    weights = checkpoints.default_store() / f"{identifier}-{entry['sha256'][:12]}.safetensors"
    return checkpoints.Published(identifier, weights, entry["sha256"], entry)


def _hash(recipe: list) -> str:
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()


def _toml(entries: dict[str, dict]) -> str:
    """TOML of flat tables of words and whole numbers; JSON writes both as TOML does."""
    lines = []
    for identifier, entry in entries.items():
        if not re.fullmatch(r"[A-Za-z0-9_]+", identifier):
            raise ValueError(f"{identifier} cannot name a table of {MANIFEST}: letters, digits and underscores only")
        lines += [f"[{identifier}]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items()), ""]
    return "\n".join(lines)
