"""Simulated subjects that see the images of the world; the correct answers are known.

A brain is a set of weights on properties of the images. Its representational geometry is a weighted sum of codes:

    z = w_s superordinate + w_b basic + w_t texture + w_p palette + w_i image

Codes are random orthogonal vectors, equal for all subjects; the image code is new for each image. Basic classes,
textures and palettes are nested in the superordinate classes, so their codes are centred within each superordinate
class: a level says nothing about the level above it. The coarse brain is dominated by the superordinate code, the
fine brain by texture (which differs only between fine classes), and the null brain has only the image code: no
relation to the content of the image.

Voxels mix this latent geometry with the Gabor energy of the pixels, in a proportion that depends on the region: V1 is
Gabor energy only, IT is latent only. Each subject has its own voxels, its own geometry in addition to the shared one,
and measurement noise that differs between repeats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainscore_granularity.brains.gabor import gabor_energy

from . import images as world

N_SUBJECTS, N_REPEATS, N_VOXELS = 4, 4, 120
LATENT_DIMENSIONS = 64
IDIOSYNCRASY = 0.35  # standard deviation of a subject's own signal; that of the shared signal is 1
NOISE = 1.5  # standard deviation of the noise of one repeat; that of the shared signal is 1
LATENT_SHARE = {"V1": 0.0, "V2": 0.3, "V4": 0.6, "IT": 1.0}  # latent share of variance; the rest is Gabor energy
TEMPERATURE = 0.12  # of the odd-one-out choices, in units of similarity


@dataclass(frozen=True)
class Brain:
    """Weights of the codes. ``balanced`` is used for layer selection only, never for scores."""

    name: str
    superordinate: float
    basic: float
    texture: float
    palette: float
    image: float


BRAINS = {
    brain.name: brain
    for brain in (
        Brain("coarse", superordinate=1.0, basic=0.35, texture=0.2, palette=0.2, image=0.35),
        Brain("fine", superordinate=0.4, basic=0.6, texture=1.2, palette=0.4, image=0.35),
        Brain("null", superordinate=0, basic=0, texture=0, palette=0, image=1.0),
        Brain("balanced", superordinate=0.6, basic=0.6, texture=0.6, palette=0.6, image=0.35),
    )
}


def latent(images: world.Images, brain: Brain, seed: int) -> np.ndarray:
    """The shared geometry: (images, LATENT_DIMENSIONS), rows in image order.

    seed : sets the codes of the images (they differ between image sets); the other codes are always the same.
    """
    codes = np.random.default_rng(1).normal(size=(2 + 8 + 8 + 4, LATENT_DIMENSIONS))
    codes = np.linalg.qr(codes.T)[0].T
    superordinate, basic, texture, palette = np.split(codes, np.cumsum([2, 8, 8]))
    basic, texture, palette = (_centred_in_halves(code) for code in (basic, texture, palette))
    own = np.random.default_rng([seed, 2]).normal(size=(len(images.fine), LATENT_DIMENSIONS))
    own /= np.sqrt(LATENT_DIMENSIONS)
    return (
        brain.superordinate * superordinate[images.superordinate]
        + brain.basic * basic[images.basic]
        + brain.texture * texture[images.texture]
        + brain.palette * palette[images.palette]
        + brain.image * own
    )


def _centred_in_halves(codes: np.ndarray) -> np.ndarray:
    """Subtract the mean of each half of the rows: the first half are creatures, the second artefacts."""
    halves = np.stack(np.split(codes, 2))
    return (halves - halves.mean(axis=1, keepdims=True)).reshape(codes.shape)


def signal(images: world.Images, brain: Brain, region: str, seed: int) -> np.ndarray:
    """The signal that all subjects share in a region: (images, dimensions), noise-free, columns centred.

    The Gabor part and the latent part are scaled to total variance 1 before they are mixed.
    """
    share = LATENT_SHARE[region]
    parts = []
    if share < 1:
        parts.append(np.sqrt(1 - share) * _unit_variance(gabor_energy(images.pixels)))
    if share > 0:
        parts.append(np.sqrt(share) * _unit_variance(latent(images, brain, seed)))
    return np.hstack(parts)


def responses(shared: np.ndarray, subject: int, n_repeats: int = N_REPEATS) -> np.ndarray:
    """Simulated measurements of one subject: (repeats, images, N_VOXELS) float32.

    shared : (images, dimensions), see `signal`. Subjects of different number have different voxels and noise.
    """
    rng = np.random.default_rng([subject, shared.shape[1], 3])
    n = len(shared)
    own = _unit_variance(rng.normal(size=(n, LATENT_DIMENSIONS)))
    tuning = rng.normal(size=(shared.shape[1], N_VOXELS))
    own_tuning = rng.normal(size=(LATENT_DIMENSIONS, N_VOXELS))
    mean = shared @ tuning + IDIOSYNCRASY * (own @ own_tuning)
    noise = rng.normal(size=(n_repeats, n, N_VOXELS))
    return (mean + NOISE * noise).astype(np.float32)


def true_ceiling(images: world.Images, brain: Brain, region: str, seed: int, n_subjects: int = 200) -> float:
    """Expected score, over new subjects, of the model with the true geometry; computed by simulation.

    A noise ceiling estimates this value from a few subjects. It is the mean Spearman correlation of the shared,
    noise-free RDM with the RDM measured in one subject.
    """
    from brainscore_granularity import rsa

    shared = signal(images, brain, region, seed)
    truth = rsa.rdm(expected_geometry(shared))
    subjects = range(1000, 1000 + n_subjects)
    return float(np.mean([rsa.compare(truth, rsa.rdm(responses(shared, s).mean(axis=0))) for s in subjects]))


def expected_geometry(shared: np.ndarray, n_voxels: int = 4096) -> np.ndarray:
    """Noise-free responses of very many voxels: the responses of a model with the true geometry."""
    tuning = np.random.default_rng(4).normal(size=(shared.shape[1], n_voxels))
    return (shared @ tuning).astype(np.float32)


def odd_one_out(images: world.Images, brain: Brain, seed: int, n_triplets: int = 4000):
    """Odd-one-out choices of a simulated observer.

    The pair that belongs together is drawn by a softmax over the three similarities (dot products of the shared
    geometry) at TEMPERATURE, and the third image is the odd one.

    Returns
    -------
    triplets : (n_triplets, 3) image numbers, the odd one last.
    ceiling : expected accuracy of an observer who knows the geometry and the softmax: the mean of the largest
        of the three probabilities.
    """
    rng = np.random.default_rng([seed, 5])
    z = latent(images, brain, seed)
    triplets = np.stack([rng.choice(len(z), 3, replace=False) for _ in range(n_triplets)])
    a, b, c = (z[triplets[:, i]] for i in range(3))
    similarity = np.stack([(b * c).sum(1), (a * c).sum(1), (a * b).sum(1)], axis=1)  # column: the odd image
    logits = similarity / TEMPERATURE
    probability = np.exp(logits - logits.max(axis=1, keepdims=True))
    probability /= probability.sum(axis=1, keepdims=True)
    odd = (rng.random((n_triplets, 1)) > probability.cumsum(axis=1)).sum(axis=1).clip(max=2)
    order = np.stack([(odd + 1) % 3, (odd + 2) % 3, odd], axis=1)
    return np.take_along_axis(triplets, order, axis=1), float(probability.max(axis=1).mean())


def _unit_variance(x: np.ndarray) -> np.ndarray:
    """Centre the columns and scale their total variance to 1."""
    x = x - x.mean(axis=0)
    return x / np.sqrt((x**2).sum(axis=1).mean())
