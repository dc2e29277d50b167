"""Images as networks take them, kept between models that take them alike.

Reading, resizing and normalising a benchmark's images costs a small network more than its forward pass, and is the
same for all models of one input size. Only Brain-Score's own preprocessing of files is shared, because nothing else
says what it depends on.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np

from .recorder import content


class Preprocessed:
    """Batches of the images that were shown last.

    Parameters
    ----------
    budget : bytes to hold; the batch that was used longest ago goes first.
    """

    def __init__(self, budget: float = 2**30):
        self.budget = budget
        self._batches: OrderedDict[tuple, np.ndarray] = OrderedDict()

    def share(self, extractor) -> None:
        """Let an extractor of activations take its batches from here, unless it preprocesses in a way of its own."""
        from brainscore_vision.model_helpers.activations.pytorch import load_preprocess_images

        theirs = extractor.preprocess
        if isinstance(theirs, functools.partial) and theirs.func is load_preprocess_images and not theirs.args:
            extractor.preprocess = functools.partial(self._batch, theirs, repr(sorted(theirs.keywords.items())))

    def _batch(self, theirs: Callable, settings: str, paths: Sequence[str]) -> np.ndarray:
        key = (settings, *map(content, paths))
        if key not in self._batches:
            unique = list(dict.fromkeys(paths))  # Brain-Score fills the last batch up with copies of one image
            images = theirs(unique)
            self._batches[key] = images if len(unique) == len(paths) else images[[unique.index(p) for p in paths]]
            held = sum(batch.nbytes for batch in self._batches.values())
            while held > self.budget and len(self._batches) > 1:
                held -= self._batches.popitem(last=False)[1].nbytes
        self._batches.move_to_end(key)
        return self._batches[key]
