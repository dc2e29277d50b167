"""Stimuli and subjects on which layers are chosen, and which never score.

A selection is a list of benchmarks without a published score: the same classes, on other images. Available by
name: the embedded world's own, the train splits of measured data, from Brain-Score's store or a local build, and
measured image sets for others.
"""

from __future__ import annotations

from functools import lru_cache, partial

from brainscore_granularity.datasets import cowley2023, measured
from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.sources import Source

from . import cichy_rsa, concepts, laion_rsa, targets
from .benchmark import RSABenchmark
from .cowley2023 import on_sessions
from .measured_rsa import rsa_on
from .odd_one_out import OddOneOutBenchmark

REGIONS = ("V1", "V2", "V4", "IT")
DEFAULT = "World_selection"
N_STIMULI = 1000  # of a subject, as in the study that these selections follow


@lru_cache
def benchmarks(name: str) -> list:
    """The benchmarks on which layers are chosen, in order; their ``region`` says for which region."""
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
        return [_rsa(measured.NSD, name.split(".")[1], Source(local=name)) for name in ready]
    return _train_split(measured.NSD, "train.subj01")


def _train_split(data: measured.Measured, part: str = "train") -> list:
    return [_rsa(data, region, data.source(region, part)) for region in data.regions]


def _rsa(data: measured.Measured, region: str, source: Source) -> RSABenchmark:
    return rsa_on(f"{source.local}-selection", 1, data, region, source=source, n_stimuli=N_STIMULI)


def _laion() -> list:
    return [
        laion_rsa.rsa_on_part(f"Zerbe2026_fmri.{region}-selection", region, "selection")
        for region in measured.LAION_FMRI.regions
    ]


def _cichy(data: str) -> list:
    """fMRI and MEG together, because fMRI of IT on the 118 images is very noisy."""
    return [cichy_rsa.rsa_on(data, target, "selection") for target in cichy_rsa.REGIONS]


def _concepts() -> list:
    return [concepts.rsa_on("Hebart2023.concept-rsa-selection", concepts.SELECTION)]


def _macaque_v4() -> list:
    """Other sessions than those that score, without images of these; one monkey's of these where no other is here."""
    scored, name = cowley2023.SESSIONS, "Cowley2023.V4-rsa-selection"
    others = tuple(session for session in cowley2023.sessions_here() if session not in scored)
    return [on_sessions("rsa", others, name, without=scored) if others else on_sessions("rsa", scored[:1], name)]


SELECTIONS = {
    DEFAULT: _world,
    "Allen2022_fmri": _nsd,
    "Papale2025": partial(_train_split, measured.TVSD),
    "Hebart2023_fmri": partial(_train_split, measured.THINGS_FMRI),
    "Hebart2023": _concepts,
    "Zerbe2026_fmri": _laion,
    "Cichy2014": partial(_cichy, "Cichy2014"),
    "Cichy2016": partial(_cichy, "Cichy2016"),
    "Cowley2023": _macaque_v4,
}
