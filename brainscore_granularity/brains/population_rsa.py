"""RSA where every population has images of its own."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from brainscore_core.metrics import Score

from brainscore_granularity import rsa
from brainscore_granularity.stats.permutation import null_scores, standardised
from brainscore_granularity.stats.resampling import scores_on

from . import kept_rdms
from .population_benchmark import PopulationBenchmark
from .scoring import ceiling_score


class PopulationRSA(PopulationBenchmark):
    """Spearman correlation of correlation-distance RDMs with that of each population; see ``PopulationBenchmark``.

    The ceiling is the mean over the same populations: from repeats of the images where there are any, else from halves
    of the units, which is lower. Its attribute ``kind`` names both where both occur, and ``populations`` says what each
    population's is: {name: (kind, lower, upper)}.
    """

    @cached_property
    def ceiling(self) -> Score:
        weights, bounds = self.populations.weights, np.array([one.rdm_bounds(self.order) for one in self.members])
        kinds = ["repeats" if one.repeated else "units" for one in self.members]
        ceiling = ceiling_score(*(weights @ bounds), kind=" and ".join(sorted(set(kinds))))
        known = zip(self.members, kinds, bounds.tolist(), strict=True)
        ceiling.attrs["populations"] = {one.name: (kind, *both) for one, kind, both in known}
        return ceiling

    @cached_property
    def rdms(self) -> list[np.ndarray]:
        """RDM (images, images) of each population."""
        return [
            rsa.rdm(one.responses, images=self.order[one.rows], layer=f"{self.populations.data}, {one.name}")
            for one in self.members
        ]

    @cached_property
    def _ranks(self) -> list[np.ndarray]:
        return [rsa.standardised_ranks(rdm) for rdm in self.rdms]

    def recorded(self, candidate, layer, stimuli, population, title) -> np.ndarray:
        """A model's RDM for one population: kept, or from the features of its committed layer."""
        compute = super().recorded
        return kept_rdms.rdm(candidate, layer, stimuli, lambda: compute(candidate, layer, stimuli, population, title))

    def represent(self, gram, population, layer) -> np.ndarray:
        """RDM (images, images)."""
        return rsa.from_gram(gram("rows"), images=self.order[population.rows], layer=layer)

    def population_score(self, representation, which) -> float:
        """Correlation with the RDM of a population."""
        return float(np.clip(self._ranks[which] @ rsa.standardised_ranks(representation, "model"), -1, 1))

    def resampled_scores(self, representations, which, counts) -> np.ndarray:
        """(resamples, layers) correlations with the RDM of a population."""
        return scores_on(np.stack(representations), self.rdms[which][None], counts)[:, :, 0]

    def permuted_scores(self, representations, which, n) -> np.ndarray:
        """(n, layers) correlations with the RDM of a population whose images are shuffled."""
        layers = np.stack([standardised(one) for one in representations])
        return null_scores(layers, standardised(self.rdms[which]), n, seed=which)
