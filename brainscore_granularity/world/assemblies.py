"""The world in Brain-Score's data formats: stimulus sets on disk and assemblies of simulated subjects."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from brainscore_core.supported_data_standards.brainio.assemblies import BehavioralAssembly, NeuroidAssembly
from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet

from brainscore_granularity.datasets.stimuli import from_pixels

from . import brains
from . import images as world

VISUAL_DEGREES = 8
# Image sets: name -> (images a fine class, seed). Training images have another seed; see study.py.
IMAGE_SETS = {"World": (4, 101), "World_selection": (3, 202)}


@lru_cache
def image_set(name: str) -> world.Images:
    """The images of a set, shuffled: drawn class by class, their place in the list would tell what they show."""
    per_class, seed = IMAGE_SETS[name]
    drawn = world.draw(per_class, seed)
    order = np.random.default_rng(seed).permutation(len(drawn.fine))
    return world.Images(*(part[order] for part in drawn))


@lru_cache
def stimulus_set(name: str) -> StimulusSet:
    """The images of a set as PNG files under the package's home, written once."""
    images = image_set(name)
    return from_pixels(
        name,
        [f"{name.lower()}_{i:04d}" for i in range(len(images.fine))],
        images.pixels,
        fine=images.fine,
        basic=images.basic,
        superordinate=images.superordinate,
        name=[world.fine_name(fine) for fine in images.fine],
    )


def neural(name: str, brain: str, region: str) -> NeuroidAssembly:
    """Simulated responses: presentation (images x repeats) x neuroid (subjects x voxels)."""
    images, (_, seed), stimuli = image_set(name), IMAGE_SETS[name], stimulus_set(name)
    shared = brains.signal(images, brains.BRAINS[brain], region, seed)
    first = 0 if name == "World" else 100  # layers are selected on other subjects
    subjects = [f"sim{s + 1:02d}" for s in range(first, first + brains.N_SUBJECTS)]
    data = np.concatenate(
        [brains.responses(shared, s) for s in range(first, first + brains.N_SUBJECTS)], axis=2
    )  # (repeats, images, neuroids)
    n = len(images.fine)
    assembly = NeuroidAssembly(
        data.transpose(1, 0, 2).reshape(n * brains.N_REPEATS, -1),  # repeats of an image in a row, as in Brain-Score
        dims=["presentation", "neuroid"],
        coords={
            "stimulus_id": ("presentation", np.repeat(stimuli["stimulus_id"].values, brains.N_REPEATS)),
            "repetition": ("presentation", np.tile(np.arange(brains.N_REPEATS), n)),
            "neuroid_id": (
                "neuroid",
                [f"{subject}_{region}_v{v:04d}" for subject in subjects for v in range(brains.N_VOXELS)],
            ),
            "subject": ("neuroid", np.repeat(subjects, brains.N_VOXELS)),
            "region": ("neuroid", [region] * (len(subjects) * brains.N_VOXELS)),
        },
    )
    return _described(assembly, f"{name}.{brain}.{region}", stimuli)


def choices(name: str, brain: str) -> BehavioralAssembly:
    """Simulated odd-one-out choices in the format of Brain-Score's THINGS triplets: the third image is the odd one.

    attrs["ceiling"] is the accuracy that an observer who knows the geometry would reach.
    """
    images, (_, seed), stimuli = image_set(name), IMAGE_SETS[name], stimulus_set(name)
    rows, ceiling = brains.odd_one_out(images, brains.BRAINS[brain], seed)
    ids = stimuli["stimulus_id"].values
    assembly = BehavioralAssembly(
        ids[rows[:, 2]],
        dims=["presentation"],
        coords={
            "stimulus_id": ("presentation", ids[rows[:, 2]]),
            "triplet_id": ("presentation", [f"triplet_{i}" for i in range(len(rows))]),
            **{f"image_{j + 1}": ("presentation", ids[rows[:, j]]) for j in range(3)},
        },
    )
    assembly.attrs["ceiling"] = ceiling
    return _described(assembly, f"{name}.{brain}.triplet", stimuli)


def _described(assembly, identifier: str, stimuli: StimulusSet):
    assembly.attrs["identifier"] = identifier
    assembly.attrs["stimulus_set"] = stimuli
    assembly.attrs["stimulus_set_identifier"] = stimuli.identifier
    assembly.attrs["simulated"] = True
    return assembly
