"""Models whose responses are given, registered as Brain-Score asks, so that ``brainscore_vision.score`` loads them."""

from pathlib import Path

import numpy as np
from brainscore_core.supported_data_standards.brainio.assemblies import NeuroidAssembly
from brainscore_vision.model_interface import BrainModel

IDENTIFIER = "granularity_test_candidate"
PLUGIN = f"""from brainscore_vision import model_registry
from candidates import current

model_registry["{IDENTIFIER}"] = lambda: current["model"]
"""
current = {}


class Given(BrainModel):
    """respond(stimulus ids) -> (stimuli, features), whatever is recorded; shown in another order than asked."""

    identifier = IDENTIFIER

    def __init__(self, respond, visual_degrees=8):
        self.respond, self._degrees = respond, visual_degrees
        self.behavior_model = type("", (), {"mapping": {BrainModel.Task.odd_one_out: self}})()
        self.activations_model, self.readout, self.recorded = self.look_at, ["given"], []

    def visual_degrees(self):
        return self._degrees

    def start_recording(self, region, time_bins):
        self.recorded.append(region)

    def look_at(self, stimuli, number_of_trials=1, layers=None):
        ids = stimuli["stimulus_id"].values[::-1]
        assert all(Path(stimuli.get_stimulus(stimulus)).is_file() for stimulus in ids)
        features = np.asarray(self.respond(ids), np.float64)
        return NeuroidAssembly(
            features[:, :, None],
            dims=["presentation", "neuroid", "time_bin"],
            coords={
                "stimulus_id": ("presentation", ids),
                "row": ("presentation", np.arange(len(ids))),
                "neuroid_id": ("neuroid", np.arange(features.shape[1])),
                "layer": ("neuroid", ["given"] * features.shape[1]),
                "time_bin_start": ("time_bin", [70]),
                "time_bin_end": ("time_bin", [170]),
            },
        )
