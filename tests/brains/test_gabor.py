import numpy as np

from brainscore_granularity.brains.gabor import gabor_energy


def test_gabor_energy_ignores_phase_and_prefers_its_orientation():
    x = np.arange(48)
    grating = np.stack([127 + 100 * np.sin(2 * np.pi * (x / 8 + phase)) for phase in (0, 0.25, 0.5)])
    vertical = np.repeat(np.repeat(grating[:, None, :], 48, 1)[..., None], 3, 3).astype(np.uint8)
    energy = gabor_energy(vertical)
    assert np.allclose(energy[0], energy[1], rtol=0.1, atol=0.02 * energy.max())
    by_filter = energy[0].reshape(12, 36).mean(axis=1)
    assert by_filter.argmax() == 4  # frequency 1/8, orientation 0
