"""LAION-fMRI (Zerbe et al. 2026): five people who saw the same 1,492 images, in and out of distribution.

Brain-Score has one assembly a person, with all trials and no images: these are under an agreement of their own, and
Brain-Score finds them in a folder on this computer. What an image is for stands in its name:

- ``natural``: 641 images of LAION-natural, 12 times each, from the distribution of most images of the data set;
- ``ood``: 371 shapes, illusions, Gabors, unusual, cropped and made-up scenes, 4 times each;
- ``selection``: 240 photographs of objects from THINGSplus, 12 times each, on which layers are chosen.

The other 240 are images of NSD, on which layers may have been chosen elsewhere; they are not used.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from brainscore_core.supported_data_standards.brainio.assemblies import NeuroidAssembly
from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet

from brainscore_granularity.download import DataMissing

from .assembly import average_repeats, without_time
from .sources import Source

PARTS = {"natural": "shared_12rep_LAION_", "ood": "shared_4rep_OOD_", "selection": "shared_12rep_THINGS+_"}
PEOPLE = ("sub-01", "sub-03", "sub-05", "sub-06", "sub-07")
DATA = "Zerbe2026_fmri"
RELIABILITY = "nc_12rep"  # percent of a voxel's variance over 12 presentations that can be explained
LICENCE = "responses CC0; images under the data use agreement of LAION-fMRI"
FOLDER_VARIABLE = "LAION_FMRI_STIMULI_DIR"  # Brain-Score's own
AGREEMENT = "laion-fmri.hebartlab.com/request"
HOW_TO_GET_IMAGES = (
    f"agree to the terms at {AGREEMENT}, fetch them with `laion-fmri download-stimuli`, and extract them with "
    "`python -m brainscore_vision.data.laion_fmri.data_packaging.get_local_stimuli`"
)


@dataclass(frozen=True)
class People:
    """One region and one part (see PARTS) of all five people, in the place of a `Source`."""

    region: str
    part: str

    def load(self):
        """Means over presentations, images x voxels of all people, of the images that all of them saw."""
        if not _has_images():
            raise DataMissing(f"the images of LAION-fMRI are not in {_folder()}: {HOW_TO_GET_IMAGES}")
        means, coordinates, stimuli = [], {"subject": [], RELIABILITY: []}, None
        for who, source in self._sources().items():
            own = source.load()
            stimuli = own.attrs["stimulus_set"]
            own = without_time(own)
            shown = np.array([str(name).startswith(PARTS[self.part]) for name in own["stimulus_id"].values])
            means.append(average_repeats(own.isel(presentation=np.flatnonzero(shown))))
            coordinates["subject"] += [who] * own.sizes["neuroid"]
            coordinates[RELIABILITY] += list(own[RELIABILITY].values)
        order = sorted(set.intersection(*(set(own["stimulus_id"].values) for own in means)))
        if not order:
            raise ValueError(f"{DATA}: no image whose name begins with {PARTS[self.part]} was seen by all five people")
        values = [_rows(own, order) for own in means]
        assembly = NeuroidAssembly(
            np.concatenate(values, axis=1),
            dims=["presentation", "neuroid"],
            coords={
                "stimulus_id": ("presentation", order),
                "place": ("presentation", np.arange(len(order))),  # a single coordinate would be lost
                **{name: ("neuroid", column) for name, column in coordinates.items()},
            },
        )
        chosen = _of(stimuli, order, self.part)
        assembly.attrs.update(
            identifier=f"{DATA}.{self.region}.{self.part}",
            stimulus_set=chosen,
            stimulus_set_identifier=chosen.identifier,
        )
        return assembly

    def status(self) -> str:
        """One line that says whether responses and images are on this computer, without reading them."""
        if not _has_images():
            return f"needs the images, by agreement: {AGREEMENT}"
        ready = all(source.status().startswith("ready") for source in self._sources().values())
        return f"ready ({DATA})" if ready else "downloadable from Brain-Score's store"

    def _sources(self) -> dict[str, Source]:
        file = "assy_LAION_fMRI_full_{who}_Assembly.nc"
        return {
            who: Source(f"{DATA}_full_{who}", file.format(who=who), region=self.region, licence=LICENCE)
            for who in PEOPLE
        }


def _rows(means, order: list[str]) -> np.ndarray:
    place = {stimulus: row for row, stimulus in enumerate(means["stimulus_id"].values)}
    return means.transpose("presentation", "neuroid").values[[place[stimulus] for stimulus in order]]


def _of(stimuli, order: list[str], part: str):
    """The stimulus set of some images, in their order."""
    row = {stimulus: i for i, stimulus in enumerate(stimuli["stimulus_id"])}
    if lacking := [stimulus for stimulus in order if stimulus not in row]:
        raise DataMissing(f"{len(lacking)} images of {DATA} are not in {_folder()}, such as {lacking[0]}")
    # made anew, because a selection of rows keeps looking images up in the whole
    chosen = StimulusSet(stimuli.iloc[[row[stimulus] for stimulus in order]].reset_index(drop=True))
    chosen.stimulus_paths = {stimulus: Path(stimuli.get_stimulus(stimulus)) for stimulus in order}
    chosen.identifier = f"{stimuli.identifier}--{part}"
    return chosen


def _folder() -> Path:
    """Where Brain-Score looks for the images."""
    return Path(os.environ.get(FOLDER_VARIABLE) or Path.home() / "laion-fmri/stimuli/images_extracted")


def _has_images() -> bool:
    return (_folder() / "manifest.csv").is_file()
