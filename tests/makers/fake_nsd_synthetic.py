"""Small files in the formats of NSD-synthetic, with the brains of `fake_nsd` and images that say which they are."""

from pathlib import Path

import fake_nsd
import h5py
import numpy as np
import pandas as pd
from scipy.io import savemat

from brainscore_granularity.datasets.prepare.nsd import synthetic as nsd_synthetic
from brainscore_granularity.datasets.prepare.nsd.files import Subject

HEIGHT, WIDTH = 70, 134  # the owner's are 714 x 1360
CLASSES = ("Noise", "Natural scenes", "Single words")
WORD = 100  # number (from 1) of an image that is blank but for a word at its side


def order() -> np.ndarray:
    """(744,) images 1 to 284 in the owner's repetitions: 236 twice, 32 four times, 8 eight times, 8 ten times."""
    times = np.random.default_rng(5).permutation(np.repeat([2, 4, 8, 10], [236, 32, 8, 8]))
    return np.random.default_rng(6).permutation(np.repeat(np.arange(1, 285), times))


def responses(subject: int) -> np.ndarray:
    """(X, Y, Z, 744) int16; images are known by 100,000 + their number."""
    return fake_nsd.responses(subject, 1, 100_000 + order(), noise=0.5)


def image(number: int) -> np.ndarray:
    """A grey that says which, a bright corner of the central square, and something at the side."""
    pixels = np.full((HEIGHT, WIDTH, 3), number, np.uint8)
    pixels[30:40, 5:30] = 255
    if number != WORD:
        pixels[0, (WIDTH - HEIGHT) // 2] = 255
    return pixels


def write_betas(folder: Path, subject: int, suffix: str) -> None:
    stored = responses(subject)
    stored[fake_nsd.DEAD[subject]] = 0
    fake_nsd.write_betas(Subject(folder, subject).betas / nsd_synthetic.BETAS, "betas_nsdsynthetic", stored, suffix)


def write(folder: Path, subjects=(1, 2)) -> None:
    experiment = folder / "nsddata" / "experiments" / "nsdsynthetic"
    experiment.mkdir(parents=True)
    savemat(experiment / "nsdsynthetic_expdesign.mat", {"masterordering": order()[None]})
    rows = np.arange(1, 285)[::-1]  # found by number, whatever the order
    pd.DataFrame(
        {
            "Image number": rows,
            "Image": [f"image_{n}" for n in rows],
            "Image subclass number": rows % 71,
            "Image subclass": [f"sub_{n % 71}" for n in rows],
            "Image class number": rows % 3,
            "Image class": [CLASSES[n % 3] for n in rows],
        }
    ).to_csv(experiment / "nsdsyntheticimageinformation.csv", index=False)
    stimuli = folder / "nsddata_stimuli" / "stimuli" / "nsdsynthetic"
    stimuli.mkdir(parents=True)
    with h5py.File(stimuli / "nsdsynthetic_stimuli.hdf5", "w") as file:
        file["imgBrick"] = np.stack([image(number) for number in range(1, 221)])
    for subject in subjects:
        write_betas(folder, subject, ".hdf5")
        fake_nsd.write_rois(folder, subject)
