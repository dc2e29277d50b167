"""The files of a Brain-Score plugin for one of our models, which does not need this package."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from string import Template

from brainscore_granularity import networks
from brainscore_granularity.brains.model import VISUAL_DEGREES
from brainscore_granularity.brains.recording import BEHAVIOUR
from brainscore_granularity.download import fetch
from brainscore_granularity.weights import checkpoints, layer_map
from brainscore_granularity.weights.find import checkpoint_of, plugin_of

from .source import self_contained
from .tensors import read_tensors

MAX_BUNDLED = 5_000_000  # bytes of weights inside a zip; larger ones belong under a URL

INIT = Template('''"""$name, made by brainscore_granularity."""

from brainscore_vision import model_registry

from .model import get_model

model_registry["$name"] = lambda: get_model("$name")
''')
MODEL = Template('''import functools
import json
from pathlib import Path

from brainscore_vision.model_helpers.activations.pytorch import PytorchWrapper, load_preprocess_images
from brainscore_vision.model_helpers.brain_transformation import ModelCommitment

from .network import $constructor
$imports

BIBTEX = """$bibtex"""


def get_network():
$network


def get_model(identifier):
    network = get_network().eval()
    preprocessing = functools.partial(load_preprocess_images, image_size=network.image_size)
    wrapper = PytorchWrapper(identifier=identifier + "-$hash", model=network, preprocessing=preprocessing)
    wrapper.image_size = network.image_size
    return ModelCommitment(
        identifier=identifier,
        activations_model=wrapper,
        layers=list(network.candidates),
        behavioral_readout_layer=$readout,
        region_layer_map=json.loads((Path(__file__).parent / "region_layer_map" / f"{identifier}.json").read_text()),
        visual_degrees=$degrees,
    )


def get_bibtex(identifier):
    return BIBTEX
''')
TEST = Template("""from brainscore_vision import load_model, load_model_bibtex


def test_every_committed_layer_is_there():
    model = load_model("$name")
    regions = model.layer_model.region_layer_map
    assert set(regions) == {"V1", "V2", "V4", "IT"}
    assert all(model.activations_model.get_layer(layer) is not None for layer in regions.values())


def test_bibtex():
    assert all(field in load_model_bibtex("$name") for field in ("url", "author", "year"))
""")


def plugin_files(model: str, name: str, url: str | None, keep: Path) -> dict[str, bytes]:
    """The files of the plugin, by path in the zip.

    Parameters
    ----------
    model : identifier of one of our models.
    name : identifier and folder on the leaderboard.
    url : address of the weights; None: they are published already, or inside the zip.
    keep : folder for a copy of the weights to upload, if they are not inside.
    """
    checkpoint, plugin = checkpoint_of(model), plugin_of(model)
    layers = dict(layer_map.read(checkpoint, plugin))
    readout = layers.pop(BEHAVIOUR, None)
    function, arguments = networks.constructor(checkpoint.info["network"])
    made = f"{function.__name__}({', '.join(map(repr, (*arguments, checkpoint.info['classes'])))})"
    folder, files, entries = f"{name}/models/{name}", {}, [function]
    if isinstance(checkpoint, checkpoints.Untrained):
        entries.append(networks.seeded)
        imports = "from .network import seeded"
        network = f"    return seeded(lambda: {made}, {checkpoint.info['initial_seed']})"
    else:
        if url is None and isinstance(checkpoint, checkpoints.Published):
            url, file, sha256 = checkpoint.info["url"], checkpoint.weights.name, checkpoint.sha256
        else:
            file, content, sha256 = _half(checkpoint, name)
            if url is None and len(content) <= MAX_BUNDLED:
                files[f"{folder}/{file}"] = content
            else:
                (keep / file).write_bytes(content)
            if url is None and len(content) > MAX_BUNDLED:
                raise ValueError(
                    f"the weights of {model} have {len(content) / 1e6:.0f} MB, at most {MAX_BUNDLED / 1e6:.0f} fit "
                    f"into the zip: upload {keep / file}, then run this again with --weights-url ADDRESS"
                )
        if url is None:
            imports, path, reader = "from .weights import read_tensors", f'Path(__file__).parent / "{file}"', []
        else:
            imports, reader = "import torch\n\nfrom .weights import fetch, read_tensors", [fetch]
            cached = f'Path(torch.hub.get_dir()) / "checkpoints" / "{file}"'
            path = f'fetch({url!r}, {cached}, "{sha256}", "Fetch it by hand.")'
        network = (
            f"    network = {made}\n    path = {path}\n"
            f'    network.load_state_dict(read_tensors(path, "{sha256}"))\n    return network'
        )
        source = self_contained([read_tensors, *reader], "Weights: fetched, checked and read.")
        files[f"{folder}/weights.py"] = source.encode()
    text = {
        "__init__.py": INIT.substitute(name=name),
        "model.py": MODEL.substitute(
            constructor=function.__name__, imports=imports, bibtex=_bibtex(model), network=network,
            hash=checkpoint.short_hash, readout=repr(readout), degrees=VISUAL_DEGREES,
        ),
        "test.py": TEST.substitute(name=name),
        "network.py": self_contained(entries, f"The network {checkpoint.info['network']}."),
        f"region_layer_map/{name}.json": json.dumps(layers),
    }  # fmt: skip
    if checkpoint.info["network"].startswith("timm_"):
        text["requirements.txt"] = "timm\n"
    return files | {f"{folder}/{path}": content.encode() for path, content in text.items()}


def as_submitted(model: str):
    """One of our models as in a submission: on the CPU, with weights rounded to half precision."""
    import torch

    from brainscore_granularity.brains.model import from_checkpoint

    checkpoint = checkpoint_of(model)
    layers = layer_map.read(checkpoint, plugin_of(model))
    if isinstance(checkpoint, checkpoints.Untrained | checkpoints.Published):
        made = from_checkpoint(checkpoint, layers)
    else:
        with tempfile.TemporaryDirectory() as folder:
            state, info = checkpoint.state_dict(), checkpoint.info
            made = from_checkpoint(checkpoints.save(Path(folder), model, state, info, half=True), layers)
    wrapper = made.activations_model
    wrapper._device = torch.device("cpu")
    wrapper._model.to(wrapper._device)
    return made


def _half(checkpoint: checkpoints.Checkpoint, name: str) -> tuple[str, bytes, str]:
    """File name, content and SHA-256 of the weights in half precision."""
    with tempfile.TemporaryDirectory() as folder:
        copy = checkpoints.save(Path(folder), name, checkpoint.state_dict(), checkpoint.info, half=True)
        return copy.weights.name, copy.weights.read_bytes(), copy.sha256


def _bibtex(model: str) -> str:
    from brainscore_vision import load_model_bibtex

    return load_model_bibtex(model)
