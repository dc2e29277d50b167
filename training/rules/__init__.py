"""Learning rules by name: what a step does with one network, one batch and one loss."""

from __future__ import annotations

from .backprop import Backprop
from .feedback_alignment import FeedbackAlignment
from .predictive_coding import PredictiveCoding
from .readout import Readout
from .stdp import STDP
from .untrained import Untrained

RULES = {
    "backprop": Backprop,
    "feedback_alignment": FeedbackAlignment,
    "predictive_coding": PredictiveCoding,
    "stdp": STDP,
    "readout": Readout,
    "untrained": Untrained,
}
