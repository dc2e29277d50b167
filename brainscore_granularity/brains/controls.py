"""What any image-computable model shares with a brain: pixels and mean luminance, as RDMs to partial out."""

from __future__ import annotations

import numpy as np
from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet

from brainscore_granularity import rsa

SIZE = 64  # pixels a side: correlations of whole images change little with more
LUMINANCE = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def control_rdms(stimuli: StimulusSet) -> dict[str, np.ndarray]:
    """RDMs (n, n) of the stimuli: 1 - correlation of pixels, and the difference in mean luminance.

    One that is not defined, because an image has one colour throughout or all are equally bright, is left out.
    """
    pixels = np.stack([_small(stimuli.get_stimulus(stimulus)) for stimulus in stimuli["stimulus_id"]])
    luminance = pixels.mean(axis=(1, 2)) @ LUMINANCE
    rdms = {"luminance": np.abs(luminance[:, None] - luminance)}
    if luminance.std() == 0:
        rdms = {}
    try:
        rdms["pixels"] = rsa.rdm(pixels)
    except rsa.DegenerateFeatures:
        pass
    return rdms


def partial_scores(model: np.ndarray, subjects: np.ndarray, controls: dict[str, np.ndarray]) -> dict[str, float]:
    """Partial Spearman correlation given each control, and given all: mean over subjects; NaN where nothing is left.

    model : (n, n). subjects : (subjects, n, n). controls : {name: (n, n)}.
    """
    given = {name: [rdm] for name, rdm in controls.items()}
    if len(controls) > 1:
        given[" and ".join(sorted(controls))] = list(controls.values())
    return {name: _partial(model, subjects, rdms) for name, rdms in given.items()}


def _partial(model, subjects, rdms) -> float:
    try:
        return float(np.mean([rsa.compare(model, subject, control=rdms) for subject in subjects]))
    except ValueError:  # the control explains the model completely
        return float("nan")


def _small(path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        small = image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BOX)
    return np.asarray(small, np.float64) / 255
