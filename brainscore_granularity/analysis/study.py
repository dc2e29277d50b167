"""A study, shared by all analyses: models x one set of images, each model run once, and brains to compare with.

>>> study = Study(["granularity_world_own_k2_s1"], benchmarks=["World.IT-rsa"])  # doctest: +SKIP
>>> study.prepare(["gram"])  # doctest: +SKIP
>>> study.products("granularity_world_own_k2_s1", "relu5").rdm().shape  # doctest: +SKIP
(256, 256)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from brainscore_granularity.progress import progress
from brainscore_granularity.report import conditions
from brainscore_granularity.rsa.components import Components, Products, components

from . import kept, models, subjects
from .base import NotApplicable
from .images import ImageSet, find, of_benchmarks
from .settings import Settings
from .snapshots import Run
from .subjects import Brain

KEPT = 4  # sets of components kept in memory: 32 MB each for 2,000 images


class Study:
    """Models, images and brains; activations are extracted once, digested, and kept under the package's home.

    All images form one list: first ``images``, then those of the benchmarks, unless they are the same.

    Parameters
    ----------
    models : identifiers of ours and of Brain-Score's own.
    images : folder, zip or stimulus set (see `images.find`), or an ImageSet; by default the benchmarks' images.
    benchmarks : identifiers of our RSA benchmarks, all on the same images.
    layers : layers to analyse; by default all candidates, which must be the same in all models.
    results : folder of scores, for analyses of scores.
    runs : training runs, for analyses of training.
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
        runs: Iterable[Run] = (),
    ):
        self.results, self.runs = results, list(runs)
        self.models, self.settings, self.say = list(dict.fromkeys(models)), settings, say
        loaded = [subjects.load(name) for name in benchmarks]
        if images is None and not loaded:
            raise ValueError("which images? Give --images (a folder or a stimulus set), --benchmarks, or both")
        shown = of_benchmarks(loaded) if loaded else None
        self.images = shown if images is None else find(images) if isinstance(images, str) else images
        self.brain_images = shown if shown and shown.fingerprint != self.images.fingerprint else None
        self.brains = [Brain.of(benchmark) for benchmark in loaded]
        self.asked = list(layers)
        self._layers: dict[str, list[str]] = {}
        self._components: dict[tuple[str, str], Components] = {}
        self._found: dict[str, Any] = {}

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
        """Whether the images differ from those that the brains saw."""
        return self.brain_images is not None

    @property
    def sets(self) -> list[ImageSet]:
        return [self.images, *([self.brain_images] if self.brain_images else [])]

    @property
    def labels(self) -> np.ndarray | None:
        """Class of each image of ``rows``, (images,); None if unknown."""
        return self.images.labels

    @property
    def simulated(self) -> bool:
        """Whether any brain, or any of the models' or runs' training images, is simulated."""
        trained = any("_world_" in model for model in self.models) or any(run.simulated for run in self.runs)
        return trained or any(brain.simulated for brain in self.brains)

    @cached_property
    def layers(self) -> list[str]:
        """The layers that all models have, early to late."""
        return models.common_layers({model: self.layers_of(model) for model in self.models}, self.asked)

    def layers_of(self, model: str) -> list[str]:
        """The candidate layers of one model."""
        if model not in self._layers:
            self._layers[model] = models.layers(model)
        return self._layers[model]

    def committed(self, model: str, region: str) -> str:
        """The layer that a model has committed to a region, chosen on stimuli that are never scored."""
        return models.committed(model, region)

    def describe(self, model: str) -> dict:
        """Columns of every table: model, labels, k, seed; k is the number of native classes for native networks."""
        return models.describe(model)

    def coarse(self) -> list[str]:
        """Models trained on coarse classes cut from images (not on random or permuted labels), by growing K."""
        known = {model: self.describe(model) for model in self.models}
        chosen = [model for model, about in known.items() if conditions.is_coarse(about["labels"])]
        return sorted((m for m in chosen if known[m]["k"]), key=lambda m: (known[m]["k"], known[m]["seed"]))

    def native(self, like: str | None = None) -> str | None:
        """The model trained on the native classes, of the same seed as ``like`` if there is one."""
        natives = [m for m in self.models if self.describe(m)["labels"] == conditions.NATIVE]
        seed = like and self.describe(like)["seed"]
        return next((m for m in natives if self.describe(m)["seed"] == seed), natives[0] if natives else None)

    def once(self, what: str, find: Callable[[], Any]) -> Any:
        """A result that several analyses share, computed once and kept in memory."""
        if what not in self._found:
            self._found[what] = find()
        return self._found[what]

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
        """Spatial maxima of a layer's channels, (all images, channels)."""
        return self.digest(model, layer, "pooled")["pooled"]

    def digest(self, model: str, layer: str, kind: str) -> dict[str, np.ndarray]:
        """One of `digests.DIGESTS` of a layer."""
        file = kept.file(self.sets, model, layer, kind)
        found = kept.read(file)
        if found is None:
            if self._shown_with_others(model, layer):
                self.prepare([kind], [model])
            else:  # a committed layer that the user did not ask for, or of networks that share no layers
                kept.make(self.sets, model, [layer], [kind])
            found = kept.read(file)
        if found is None:
            raise OSError(f"{file} cannot be read back; is the disk full?")
        return found

    def _shown(self, model: str) -> list[str]:
        """The layers that are kept of a model when it sees the images."""
        return self.layers if model in self.models else self.layers_of(model)

    def _shown_with_others(self, model: str, layer: str) -> bool:
        try:
            return layer in self._shown(model)
        except models.MissingLayers:
            return False

    def kept(self, model: str, layer: str, kind: str, make: Callable[[], dict]) -> dict[str, np.ndarray]:
        """Arrays of a layer that ``make`` returns; made once and kept on disk beside the digests.

        kind : text that identifies all that they depend on, apart from the model, the layer and the images.
        """
        file = kept.file(self.sets, model, layer, kind)
        found = kept.read(file)
        if found is None:
            found = make()
            kept.write(file, found)
        return found

    def prepare(self, kinds: Iterable[str], only: Iterable[str] | None = None) -> None:
        """Make the digests that are missing; each model sees the images once for all of them."""
        kinds, todo = list(kinds), {}
        for model in (only or self.models) if kinds else ():
            layers = self._shown(model)
            files = {kind: [kept.file(self.sets, model, layer, kind) for layer in layers] for kind in kinds}
            lacking = [kind for kind in kinds if not all(file.exists() for file in files[kind])]
            if lacking:
                todo[model] = layers, lacking
        with progress("running models", len(todo)) as advance:
            for model, (layers, lacking) in todo.items():
                advance(f"{model} on {sum(map(len, self.sets))} images", 0)
                kept.make(self.sets, model, layers, lacking)
                advance(model)

    def fingerprint(self, of: Iterable[str] | None = None, common_layers: bool = True) -> dict:
        """All that results depend on: weights and layers of models, images, brains.

        of : models; by default those of the study.
        common_layers : raise if models do not have the same layers.
        """
        return {
            "models": {model: models.identity(model) for model in of or self.models},
            "layers": self.layers if common_layers else self.asked,
            "images": [images.fingerprint for images in self.sets],
            "brains": {brain.name: brain.version for brain in self.brains},
        }
