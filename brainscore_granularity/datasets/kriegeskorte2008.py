"""92 object images with RDMs of macaque spiking, human fMRI and human judgments, from rsatoolbox's MATLAB files."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from brainscore_core.supported_data_standards.brainio.assemblies import DataAssembly
from scipy.io import loadmat
from scipy.spatial.distance import squareform

from .assembly import of_rdms
from .pinned import Pinned
from .stimuli import from_pixels

FOLDER_VARIABLE = "BRAINSCORE_GRANULARITY_KRIEGESKORTE92"
REPOSITORY = "https://raw.githubusercontent.com/rsagroup/rsatoolbox/{commit}/demos/92imageData/{name}"
# file -> (commit that holds it, SHA-256)
COMMITS = {
    "Kriegeskorte_Neuron2008_supplementalData.mat": (
        "9ac4b5cdcb702c02481cabba33c551d187d50b6c",
        "06f21214399a5d43dc264eed19a7f4b8daf11c8622a59eec3e106064ce5e3504",
    ),
    "92_brainRDMs.mat": (
        "a019e37ee631456aa99425efb33cb4e26e9ea181",
        "1743f90a15e895798a94318649e80e1123a7e5943a1703fa1dd7c31ea5780b7c",
    ),
    "92_behavRDMs.mat": (
        "8ee4a8f6b55f788acbee29521916f5f38f2926be",
        "7a8e118c144c3840adeeeef6ea0706a0be2b3e80df719af15fbb56fc62562f5f",
    ),
}
FILES = Pinned(
    title="Kriegeskorte2008",
    folder="kriegeskorte2008",
    variable=FOLDER_VARIABLE,
    origin="github.com/rsagroup/rsatoolbox, demos/92imageData",
    terms="MIT licence; cite Kriegeskorte et al. 2008, Kiani et al. 2007 (macaque) and Mur et al. 2013 (judgments).",
    size="5 MB",
    files={name: (REPOSITORY.format(commit=commit, name=name), sha256) for name, (commit, sha256) in COMMITS.items()},
)


@lru_cache
def stimulus_set():
    """The 92 images, 175 pixels wide, with their categories."""
    stimuli = _load("Kriegeskorte_Neuron2008_supplementalData.mat")["stimuli_92objs"][0]
    # Cichy et al. (2014) showed the same objects on another background.
    columns = {"picture": stimulus_ids(), "category": [str(stimulus["category"].item()) for stimulus in stimuli]}
    for name in ("human", "face", "animal", "natural"):
        columns[name] = [bool(stimulus[name].item()) for stimulus in stimuli]
    pixels = np.stack([stimulus["image"] for stimulus in stimuli])
    return from_pixels("Kriegeskorte2008", stimulus_ids(), pixels, **columns)


def stimulus_ids() -> list[str]:
    return [f"kriegeskorte92_{i:02d}" for i in range(1, 93)]


def rdms(target: str) -> DataAssembly:
    """RDMs, subject x stimulus x other_stimulus; sessions of a subject are averaged."""
    by_subject = {"hIT": _human_it, "mIT": _macaque_it, "judgment": _judgments}[target]()
    return of_rdms(f"Kriegeskorte2008.{target}", list(by_subject.values()), list(by_subject), stimulus_set())


def _human_it():
    subjects = _load("92_brainRDMs.mat")["RDMs"][0]
    names = [str(sessions[0]["name"].item()).split("|")[1].strip() for sessions in subjects]  # hIT | BE | Session: 1
    return {
        name: np.mean([session["RDM"] for session in sessions], axis=0)
        for name, sessions in zip(names, subjects, strict=True)
    }


def _macaque_it():
    """One RDM from 674 neurons pooled over two monkeys."""
    published = _load("Kriegeskorte_Neuron2008_supplementalData.mat")["RDMs_mIT_hIT_fig1"][0][0]["RDM"]
    return {"pooled": squareform(published.ravel().astype(float), checks=False)}


def _judgments():
    return {
        f"judge{i:02d}": judge["RDM"] for i, judge in enumerate(_load("92_behavRDMs.mat")["rdms_behav_92"][0], start=1)
    }


def _load(name):
    return loadmat(FILES.path(name))
