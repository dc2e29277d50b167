"""The design of the Natural Scenes Dataset: which image was shown in which trial, and which images are test or train.

All ids here are 0-based rows of ``nsd_stimuli.hdf5`` ("nsdId"); the owner's MATLAB file counts from 1. The order of
trials is common to all subjects; the image that an entry of it refers to differs, except for shared images.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .files import matlab

N_IMAGES = 73_000
TRIALS = 750  # per session
PRESENTATIONS = 3  # of every image, if all sessions were completed


@dataclass(frozen=True, eq=False)
class Design:
    trial_images: np.ndarray
    """(subjects, trials) nsdId."""
    shared: np.ndarray
    """(1000,) nsdId of the images that were planned for all subjects, sorted."""

    def session(self, subject: int, session: int) -> np.ndarray:
        """The nsdId of each of a session's 750 trials; subjects and sessions count from 1."""
        return self.trial_images[subject - 1, (session - 1) * TRIALS : session * TRIALS]

    def presentations(self, subject: int, sessions: Iterable[int]) -> np.ndarray:
        """How often each of the 73,000 images was shown in the given sessions."""
        shown = [self.session(subject, session) for session in sessions]
        return np.bincount(np.concatenate(shown), minlength=N_IMAGES)

    def test_images(self, sessions: dict[int, Iterable[int]], repeats: int) -> np.ndarray:
        """Shared images that every subject saw at least ``repeats`` times. sessions : {subject: those on disk}."""
        fewest = np.min([self.presentations(*item)[self.shared] for item in sessions.items()], axis=0)
        return self.shared[fewest >= repeats]

    def train_images(self, subject: int, sessions: Iterable[int], n: int, seed: int) -> np.ndarray:
        """``n`` images that only this subject saw, sorted: those shown most often, with ties broken at random."""
        shown = self.presentations(subject, sessions)
        shown[self.shared] = 0
        own = np.random.default_rng([seed, subject]).permutation(np.flatnonzero(shown))
        most_first = own[np.argsort(-shown[own], kind="stable")]
        return np.sort(most_first[:n])


def read(path: Path) -> Design:
    """The design from ``nsd_expdesign.mat``."""
    order, images, shared = matlab(path, "masterordering", "subjectim", "sharedix")
    order, shared = order.ravel().astype(int), shared.ravel().astype(int)
    images = images.astype(int)
    for name, ids, last in (
        ("masterordering", order, images.shape[1]),
        ("subjectim", images, N_IMAGES),
        ("sharedix", shared, N_IMAGES),
    ):
        if ids.min() < 1 or ids.max() > last:
            raise ValueError(f"{path}: expected {name} from 1 to {last}, got {ids.min()} to {ids.max()}")
    seen_by_all = set.intersection(*(set(row) for row in images))
    if not seen_by_all >= set(shared):
        raise ValueError(f"{path}: sharedix has images that are not in subjectim of every subject")
    return Design(images[:, order - 1] - 1, np.sort(shared) - 1)
