"""What all analyses share: models x one set of images, each model run once, and the brains it is compared with.

>>> study = Study(["granularity_world_own_k2_s1"], benchmarks=["World.IT-rsa"])  # doctest: +SKIP
>>> study.prepare(["gram"])  # doctest: +SKIP
>>> study.products("granularity_world_own_k2_s1", "relu5").rdm().shape  # doctest: +SKIP
(256, 256)
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import home, write_atomically
from brainscore_granularity.progress import progress
from brainscore_granularity.rsa.components import Components, Products, components
from brainscore_granularity.runner import results

from .digests import DIGESTS
from .images import ImageSet, as_stimuli, find, of_benchmarks

KEPT = 4  # sets of components: 32 MB each for 2,000 images
DIGEST_VERSION = 2  # raised when digests of the same features change


class NotApplicable(ValueError):
    """This analysis cannot be done with these models, images or benchmarks; the message says what it needs."""


class MissingLayers(ValueError):
    """Models do not have the same layers."""


@dataclass(frozen=True)
class Settings:
    """What a user may change.

    components : how many principal components to look at; more than the images allow is an error. None: as many as
        there are, up to each analysis's own limit.
    resamples : for intervals.
    seed : of all that is drawn.
    pool : models that predict the others in `universality`, the same for all.
    """

    components: int | None = None
    resamples: int = 1000
    seed: int = 0
    pool: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Brain:
    """The subjects of one benchmark.

    rdms : (subjects, n, n), images in the order of `Study.brain_rows`.
    region : which layer of a model is compared, see `Study.committed`.
    """

    name: str
    region: str
    rdms: np.ndarray
    subjects: list[str]
    simulated: bool
    data: str
    version: object

    def responses(self) -> dict[str, np.ndarray]:
        """{subject: (images, neuroids)}, repeats averaged; empty where only RDMs were published."""
        from brainscore_vision import load_dataset

        from brainscore_granularity.datasets.assembly import average_repeats, first_rows, in_order, only_neuroids

        assembly = load_dataset(self.data_set)
        if "neuroid" not in assembly.dims:
            return {}
        order = first_rows(assembly.attrs["stimulus_set"])["stimulus_id"].values
        assembly = only_neuroids(assembly, None, order, self.name)
        subjects = assembly["subject"].values
        return {
            who: in_order(average_repeats(assembly.isel(neuroid=np.flatnonzero(subjects == who))), order)
            for who in self.subjects
        }

    @property
    def data_set(self) -> str:
        return self.name.removesuffix("-rsa")


class Study:
    """Models, images and brains; activations are extracted once, digested, and kept under the package's home.

    All images form one list: first ``images``, then those of the benchmarks, unless they are the same.

    Parameters
    ----------
    models : identifiers of ours and of Brain-Score's own.
    images : folder, zip or stimulus set (see `images.find`), or an ImageSet; default what the benchmarks show.
    benchmarks : identifiers of our RSA benchmarks, all on the same images.
    layers : to analyse; default all candidates, which must be the same in all models.
    results : folder of scores, for analyses of scores.
    runs : folders of training runs, for analyses of training.
    """

    def __init__(
        self,
        models: Iterable[str],
        images: str | ImageSet | None = None,
        benchmarks: Iterable[str] = (),
        layers: Iterable[str] = (),
        settings: Settings = Settings(),  # noqa: B008  frozen
        say: Callable[[str], None] = lambda line: None,
        results: Path | None = None,
        runs: Iterable[Path] = (),
    ):
        self.results, self.runs = results, list(runs)
        self.models, self.settings, self.say = list(dict.fromkeys(models)), settings, say
        loaded = [_load_benchmark(name) for name in benchmarks]
        if images is None and not loaded:
            raise ValueError("which images? Give --images (a folder or a stimulus set), --benchmarks, or both")
        shown = of_benchmarks(loaded) if loaded else None
        self.images = shown if images is None else find(images) if isinstance(images, str) else images
        self.brain_images = shown if shown and shown.fingerprint != self.images.fingerprint else None
        self.brains = [
            Brain(b.identifier, b.region, b.subject_rdms, list(b.targets.subjects), bool(b.simulated), b.targets.data,
                  b.version)
            for b in loaded
        ]  # fmt: skip
        self.asked = list(layers)
        self._layers: dict[str, list[str]] = {}
        self._components: dict[tuple[str, str], Components] = {}

    @property
    def rows(self) -> np.ndarray:
        """Rows of ``images``."""
        return np.arange(len(self.images))

    @property
    def brain_rows(self) -> np.ndarray:
        """Rows of the images that the brains saw."""
        if not self.brains:
            raise NotApplicable("needs brains to compare with: add --benchmarks, such as 'World.*-rsa'")
        start = len(self.images) if self.brain_images else 0
        return np.arange(start, start + len(self.brain_images or self.images))

    @property
    def seen(self) -> ImageSet:
        """The images that the brains saw."""
        return self.brain_images or self.images

    @property
    def separate(self) -> bool:
        """Whether the images are others than those the brains saw."""
        return self.brain_images is not None

    @property
    def sets(self) -> list[ImageSet]:
        return [self.images, *([self.brain_images] if self.brain_images else [])]

    @property
    def labels(self) -> np.ndarray | None:
        """(images,) what is on each of ``rows``."""
        return self.images.labels

    @property
    def simulated(self) -> bool:
        """Whether any brain, or any of the models' or runs' training images, is simulated."""
        from .snapshots import read

        trained = any("_world_" in model for model in self.models) or any(read(run).simulated for run in self.runs)
        return trained or any(brain.simulated for brain in self.brains)

    @cached_property
    def layers(self) -> list[str]:
        """The layers that all models have, early to late."""
        own = {model: self.layers_of(model) for model in self.models}
        if not own:
            return self.asked
        first, *others = own
        if self.asked:
            for model, there in own.items():
                if lacking := [layer for layer in self.asked if layer not in there]:
                    raise MissingLayers(f"{model} has no layer {lacking[0]!r}; it has {', '.join(there)}")
            return self.asked
        for model in others:
            if own[model] != own[first]:
                odd = sorted(set(own[model]) ^ set(own[first]))
                who = model if odd[0] not in own[model] else first
                common = [layer for layer in own[first] if layer in own[model]]
                raise MissingLayers(
                    f"{who} has no layer {odd[0]!r}, which {first if who == model else model} has; layers are compared "
                    "one by one: choose models of one architecture, or name shared layers with --layers"
                    + (f" ({', '.join(common)})" if common else "")
                )
        return own[first]

    def layers_of(self, model: str) -> list[str]:
        """The candidate layers of one model."""
        if model not in self._layers:
            from brainscore_granularity.brains.layers import candidates

            known = self._network(model)
            self._layers[model] = list(known.candidates) if known is not None else candidates(load(model))
        return self._layers[model]

    def committed(self, model: str, region: str) -> str:
        """The layer that a model has committed to a region, chosen on stimuli that never score."""
        from brainscore_granularity.brains.recording import committed_layer

        try:
            _, layer_map = commitment_of(model)
            layer = (layer_map or {}).get(region) or committed_layer(load(model), region)
        except Exception as error:
            raise NotApplicable(f"{model} has no layer for {region}: {error}") from error
        if layer is None or "," in layer:
            raise NotApplicable(f"{model} has committed no single layer to {region}; `granularity commit {model}`")
        return layer

    def describe(self, model: str) -> dict:
        """Columns of every table: model, labels, k, seed; k is the number of native classes for native networks."""
        known = results.describe(model)
        k = known["k"]
        if k is None and known["labels"] == "native":
            with contextlib.suppress(Exception):
                from brainscore_granularity.weights.find import checkpoint_of

                k = int(checkpoint_of(model).info["classes"])
        return {"model": model, "labels": known["labels"], "k": k, "seed": known["seed"]}

    def coarse(self) -> list[str]:
        """Models trained on coarse classes cut from images (not on random or permuted labels), by growing K."""
        known = {model: self.describe(model) for model in self.models}
        chosen = [m for m, d in known.items() if d["labels"] not in (None, "native", "untrained", "random", "permuted")]
        return sorted((m for m in chosen if known[m]["k"]), key=lambda m: (known[m]["k"], known[m]["seed"]))

    def native(self, like: str | None = None) -> str | None:
        """The model trained on the native classes, of the same seed as ``like`` if there is one."""
        natives = [m for m in self.models if self.describe(m)["labels"] == "native"]
        seed = like and self.describe(like)["seed"]
        return next((m for m in natives if self.describe(m)["seed"] == seed), natives[0] if natives else None)

    @cached_property
    def label_axes(self) -> list:
        """The components that cut the classes of the coarse networks, see `label_axes.of`."""
        from . import label_axes

        return label_axes.of(self)

    def products(self, model: str, layer: str) -> Products:
        """Inner products of a layer's features to all images."""
        found = self.digest(model, layer, "gram")
        return Products(
            found["gram"], found["onto_mean"], found["sums"], float(found["mean_square"]), int(found["width"])
        )

    def components(self, model: str, layer: str) -> Components:
        """Principal components of the images ``rows``; the last few are kept in memory."""
        key = model, layer
        if key not in self._components:
            while len(self._components) >= KEPT:
                del self._components[next(iter(self._components))]
            self._components[key] = components(self.products(model, layer), self.rows)
        return self._components[key]

    def pooled(self, model: str, layer: str) -> np.ndarray:
        """(all images, channels): spatial maxima."""
        return self.digest(model, layer, "pooled")["pooled"]

    def digest(self, model: str, layer: str, kind: str) -> dict[str, np.ndarray]:
        """One of `digests.DIGESTS` of a layer."""
        found = _read(self._file(model, layer, kind))
        if found is None:
            self.prepare([kind], [model])
            found = _read(self._file(model, layer, kind))
        if found is None:
            raise OSError(f"{self._file(model, layer, kind)} cannot be read back; is the disk full?")
        return found

    def kept(self, model: str, layer: str, kind: str, make: Callable[[], dict]) -> dict[str, np.ndarray]:
        """Arrays of a layer that ``make`` gives, kept beside the digests and made once.

        kind : says all that they depend on beside the model, the layer and the images.
        """
        file = self._file(model, layer, kind)
        found = _read(file)
        if found is None:
            found = make()
            _write(file, found)
        return found

    def prepare(self, kinds: Iterable[str], models: Iterable[str] | None = None) -> None:
        """Make the digests that are missing; each model sees the images once for all of them."""
        kinds, todo = list(kinds), {}
        for model in (models or self.models) if kinds else ():
            layers = self.layers if model in self.models else self.layers_of(model)
            lacking = [kind for kind in kinds if any(not self._file(model, name, kind).exists() for name in layers)]
            if lacking:
                todo[model] = layers, lacking
        with progress("running models", len(todo)) as advance:
            for model, (layers, lacking) in todo.items():
                advance(f"{model} on {sum(map(len, self.sets))} images", 0)
                self._run(model, layers, lacking)
                advance(model)

    def fingerprint(self, models: Iterable[str] | None = None, common_layers: bool = True) -> dict:
        """All that results depend on: models' weights and layers, images, brains.

        common_layers : an error if models do not have the same ones.
        """
        return {
            "models": {model: self._identity(model) for model in models or self.models},
            "layers": self.layers if common_layers else self.asked,
            "images": [images.fingerprint for images in self.sets],
            "brains": {brain.name: brain.version for brain in self.brains},
        }

    def _run(self, model: str, layers: list[str], kinds: list[str]) -> None:
        from brainscore_granularity.brains.layers import spooled

        loaded = load(model)
        paths = [path for images in self.sets for path in images.shown_at(loaded.visual_degrees())]
        stimuli = as_stimuli([f"{i:06d}" for i in range(len(paths))], paths, "analysis")
        with spooled(loaded, stimuli, layers) as spools:
            for name, spool in spools.items():
                for kind in kinds:
                    arrays = DIGESTS[kind](spool, self.labels, f"{model} {name}")
                    _write(self._file(model, name, kind), arrays)

    def _file(self, model: str, layer: str, kind: str) -> Path:
        import torch

        from brainscore_granularity import __version__

        made_by = DIGEST_VERSION, __version__, torch.__version__, np.__version__
        images = hashlib.sha256(repr([s.fingerprint for s in self.sets]).encode()).hexdigest()[:12]
        labels = None if self.labels is None else hashlib.sha256(repr(list(self.labels)).encode()).hexdigest()
        key = hashlib.sha256(repr((made_by, self._identity(model), labels)).encode()).hexdigest()[:12]
        return home() / "analyses" / images / f"{model.replace('/', '_')}-{key}" / f"{layer}.{kind}.npz"

    def _identity(self, model: str) -> str:
        """What tells a model's weights: their hash; Brain-Score's own are fixed by its version."""
        from importlib.metadata import version

        return commitment_of(model)[0] or f"brainscore_vision {version('brainscore_vision')}"

    def _network(self, model: str):
        """The bare network of one of our models, built without weights; None for others."""
        from brainscore_granularity import networks
        from brainscore_granularity.plugins import registrations
        from brainscore_granularity.weights.find import checkpoint_of, is_stored

        ours = model in registrations("models")
        if not (ours or model.startswith("granularity_")) or (ours and not is_stored(model)):
            return None
        info = checkpoint_of(model).info
        return networks.build(info["network"], info["classes"], seed=0)


def load(model: str):
    """A Brain-Score model, without its cache of activations by name."""
    from brainscore_vision import load_model

    from brainscore_granularity.runner.environment import no_stored_activations

    with no_stored_activations():
        return load_model(model)


def commitment_of(model: str):
    from brainscore_granularity.weights.find import commitment_of as found

    return found(model)


def _load_benchmark(name: str):
    from brainscore_vision import load_benchmark

    benchmark = load_benchmark(name)
    if getattr(benchmark, "compares", None) != "correlation distance":
        raise ValueError(f"{name} compares no RDMs; analyses need benchmarks whose names end in -rsa")
    return benchmark


def _write(file: Path, arrays: dict) -> None:
    buffer = BytesIO()
    np.savez(buffer, **arrays)
    write_atomically(file, buffer.getbuffer(), durable=False)


def _read(file: Path) -> dict[str, np.ndarray] | None:
    """A digest, or None where it is missing or damaged (which deletes it)."""
    try:
        with np.load(file) as content:
            return {name: content[name] for name in content.files}
    except FileNotFoundError:
        return None
    except Exception:
        file.unlink(missing_ok=True)
        return None
