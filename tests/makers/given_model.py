"""A Brain-Score model whose responses are given."""

import numpy as np
from brainscore_core.supported_data_standards.brainio.assemblies import NeuroidAssembly
from brainscore_vision.model_interface import BrainModel


class Given(BrainModel):
    """features : (stimuli, ...), in the order of the stimulus set."""

    identifier = "given"

    def __init__(self, features):
        self.features = features
        self.behavior_model = type("", (), {"mapping": {BrainModel.Task.odd_one_out: self}})()
        self.activations_model, self.readout = self.respond, ["given"]

    def visual_degrees(self):
        return 8

    def start_recording(self, region, time_bins):
        self.region = region

    def look_at(self, stimuli, number_of_trials=1):
        return self.respond(stimuli)

    def respond(self, stimuli, layers=None):
        return NeuroidAssembly(
            self.features,
            dims=["presentation", "neuroid"],
            coords={
                "stimulus_id": ("presentation", stimuli["stimulus_id"].values),
                "filename": ("presentation", stimuli["filename"].values),
                "neuroid_id": ("neuroid", np.arange(self.features.shape[1])),
                "layer": ("neuroid", ["given"] * self.features.shape[1]),
            },
        )
