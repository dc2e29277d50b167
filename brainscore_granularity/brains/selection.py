"""Stimuli and subjects on which layers are chosen, and which never score.

A selection is a list of benchmarks without a published score: the same classes, on other images. What is there by
name: the embedded world's own, and the train splits of measured data, from Brain-Score's store or a local build.
"""

from __future__ import annotations

from functools import lru_cache, partial

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.sources import Source

from . import concepts, targets
from .benchmark import OddOneOutBenchmark, RSABenchmark
from .recording import BEHAVIOUR

REGIONS = ("V1", "V2", "V4", "IT")
DEFAULT = "World_selection"
N_STIMULI = 1000  # of a subject, as in the study that these selections follow


@lru_cache
def benchmarks(name: str) -> list:
    """The benchmarks on which layers are chosen, in order; their ``region`` says for what."""
    if name not in SELECTIONS:
        raise ValueError(f"no selection {name!r}; there are: {', '.join(SELECTIONS)}")
    return SELECTIONS[name]()


def _world() -> list:
    from brainscore_vision import load_dataset

    shared = {"version": 1, "visual_degrees": 8, "bibtex": "", "simulated": True}
    return [
        *(
            RSABenchmark(
                f"{DEFAULT}.{region}-rsa",
                region=region,
                load=lambda region=region: targets.from_responses(load_dataset(f"{DEFAULT}.{region}")),
                **shared,
            )
            for region in REGIONS
        ),
        OddOneOutBenchmark(
            f"{DEFAULT}.triplet", load=lambda: load_dataset(f"{DEFAULT}.triplet"), ceiling=None, **shared
        ),
    ]


def _nsd() -> list:
    """Each subject's own images where they were prepared, else Brain-Score's train images, which all subjects saw."""
    own = [name for name in store.identifiers("nsd") if ".train." in name and name.split(".")[1] in REGIONS]
    ready = [name for name in own if store.state(name)[0] == "ready"]
    if ready:
        return [_rsa(Source(local=name), name.split(".")[1], 8.4, ("nc_testset", 30)) for name in ready]
    file, licence = "assy_Allen2022_fMRI_train_Assembly.nc", "NSD terms and conditions"
    local = "Allen2022_fmri_local.{}.train.subj01"
    return [
        _rsa(
            Source("Allen2022_fmri_train", file, local.format(region), region, licence), region, 8.4, ("nc_testset", 30)
        )
        for region in REGIONS
    ]


def _train_split(dataset: str, file: str, regions, degrees: float, keep: tuple[str, float], licence: str) -> list:
    local = f"{dataset}_local.{{}}.train"
    return [
        _rsa(Source(f"{dataset}_train", file, local.format(region), region, licence), region, degrees, keep)
        for region in regions
    ]


def _rsa(source: Source, region: str, degrees: float, keep: tuple[str, float]) -> RSABenchmark:
    return RSABenchmark(
        f"{source.local}-selection",
        version=1,
        region=region,
        load=lambda: targets.from_responses(source.load(), keep=keep, n_stimuli=N_STIMULI),
        visual_degrees=degrees,
        bibtex="",
    )


def _concepts() -> list:
    return [
        RSABenchmark(
            "Hebart2023.concept-rsa-selection",
            version=1,
            region=BEHAVIOUR,
            load=lambda: concepts.targets(concepts.SELECTION),
            visual_degrees=concepts.VISUAL_DEGREES,
            bibtex="",
        )
    ]


SELECTIONS = {
    DEFAULT: _world,
    "Allen2022_fmri": _nsd,
    "Papale2025": partial(
        _train_split, "Papale2025", "assy_THINGS_TVSD_train_Assembly.nc", ("V1", "V4", "IT"), 18, ("reliability", 0.3),
        "the licence stated with the TVSD",
    ),
    "Hebart2023_fmri": partial(
        _train_split, "Hebart2023_fmri", "assy_THINGS_fMRI_train_Assembly.nc", REGIONS, 10, ("nc_testset", 30),
        "the licence stated with THINGS-data",
    ),
    "Hebart2023": _concepts,
}  # fmt: skip
