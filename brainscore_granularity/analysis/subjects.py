"""The brains of a study: the subjects of its benchmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Brain:
    """The subjects of one benchmark.

    rdms : (subjects, n, n), images in the order of `Study.brain_rows`.
    region : region whose committed layer of a model is compared, see `models.committed`.
    """

    name: str
    region: str
    rdms: np.ndarray
    subjects: list[str]
    simulated: bool
    data: str
    version: object

    def responses(self) -> dict[str, np.ndarray]:
        """Responses {subject: (images, neuroids)}, averaged over repeats; empty if only RDMs were published."""
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

    @classmethod
    def of(cls, benchmark) -> Brain:
        """The subjects of a loaded RSA benchmark."""
        return cls(benchmark.identifier, benchmark.region, benchmark.subject_rdms, list(benchmark.targets.subjects),
                   bool(benchmark.simulated), benchmark.targets.data, benchmark.version)  # fmt: skip


def load(name: str):
    """Load a benchmark that compares RDMs of features as they are; raises for others."""
    from brainscore_vision import load_benchmark

    benchmark = load_benchmark(name)
    if getattr(benchmark, "scaling", "none") != "none":
        raise ValueError(
            f"{name} scales the features of models ({benchmark.scaling}); analyses compare features as they are"
        )
    if getattr(benchmark, "compares", None) != "correlation distance":
        raise ValueError(f"{name} does not compare RDMs; analyses need benchmarks whose names end in -rsa")
    return benchmark
