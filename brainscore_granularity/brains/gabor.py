"""Gabor energy of images: what a simple V1 answers. A baseline for models, and the V1 of the simulated brains."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


def gabor_energy(pixels: np.ndarray) -> np.ndarray:
    """(images, size, size, 3) uint8 -> (images, filters x 6 x 6) energy of 3 scales x 4 orientations."""
    grey = pixels.astype(np.float32).mean(axis=3) / 255
    grey -= grey.mean(axis=(1, 2), keepdims=True)
    spectrum = np.fft.fft2(grey)
    size = grey.shape[1]
    step = size // 6
    energy = []
    for transfer in _gabor_bank(size):
        filtered = np.abs(np.fft.ifft2(spectrum * transfer))
        pooled = filtered.reshape(-1, 6, step, 6, step).mean(axis=(2, 4))
        energy.append(pooled.reshape(len(grey), -1))
    return np.hstack(energy)


@lru_cache
def _gabor_bank(size: int) -> list[np.ndarray]:
    """One-sided Gabor filters in the Fourier domain: their output's magnitude is the energy."""
    fx, fy = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size))
    bank = []
    for frequency in (1 / 16, 1 / 8, 1 / 4):
        for angle in np.arange(4) * np.pi / 4:
            along = fx * np.cos(angle) + fy * np.sin(angle) - frequency
            across = -fx * np.sin(angle) + fy * np.cos(angle)
            bank.append(np.exp(-(along**2 + across**2) / (2 * (0.4 * frequency) ** 2)))
    return bank
