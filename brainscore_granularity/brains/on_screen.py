"""What all our benchmarks have: stimuli, how a model sees them, and what is known before the data are loaded."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from brainscore_core.benchmarks import BenchmarkBase
from brainscore_vision.model_interface import BrainModel

from .recorder import committed_layers
from .recording import BEHAVIOUR
from .screen import place_on_screen
from .shown import identities

N_BOOTSTRAP = 1000


class OnScreen(BenchmarkBase):
    """A benchmark that shows images; the classes for RSA and odd-one-out choices compare what a model makes of them."""

    def __init__(self, identifier, version, parent, visual_degrees, bibtex, simulated, status, summary):
        super().__init__(identifier=identifier, ceiling=None, version=version, parent=parent, bibtex=bibtex)
        self.simulated = simulated
        self.status: Callable[[], str] = status or (lambda: "ready")
        self.summary: str = summary
        self.visual_degrees = visual_degrees
        self.scaling = "none"  # of a model's features, see `rsa.feature_scaling`
        self.left_out = 0
        self.shared = "refuse"  # or "leave out": stimuli on which the layer that is scored was chosen, see `shown`

    @cached_property
    def shows(self) -> list[frozenset[str]]:
        """What each stimulus shows, in the order of ``order``; of behaviour, the concepts too."""
        return identities(self.stimulus_set, self.order, concepts=self.region == BEHAVIOUR)

    @property
    def order(self) -> np.ndarray:
        """Stimulus ids, in the order in which everything here is computed."""
        return self.stimulus_set["stimulus_id"].values

    def shown_to(self, candidate: BrainModel):
        """The stimulus set, scaled to the model's field of view."""
        return place_on_screen(self.stimulus_set, candidate.visual_degrees(), self.visual_degrees)

    def layer_of(self, candidate: BrainModel) -> str | None:
        """The layer, or layers, that a model has committed to the region; None where that is not known."""
        return ", ".join(committed_layers(candidate, self.region, choose=True)) or None

    def scaled(self, scaling: str):
        """The same benchmark with models' features scaled in another way."""
        if scaling != "none":
            raise ValueError(f"{self.identifier} compares features as they are; scaling={scaling!r} is for RSA")
        return self
