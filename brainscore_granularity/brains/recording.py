"""What a Brain-Score model answers to stimuli: the features of the layer that it committed to a region."""

from __future__ import annotations

import numpy as np
from brainscore_vision.model_interface import BrainModel

from brainscore_granularity.datasets.assembly import in_order

from . import kept_rdms

TIME_BINS = [(70, 170)]  # Brain-Score's default window in milliseconds; our models have no time
BEHAVIOUR = "behavior"
AT_ONCE = 512  # stimuli shown together where features are averaged over groups


def record(candidate: BrainModel, region: str, stimuli, order, groups=None) -> np.ndarray:
    """Features (stimuli, features) in the order of ``order``, or their means over groups (groups, features).

    Parameters
    ----------
    region : V1, V2, V4, IT or "behavior".
    stimuli : stimulus set.
    order : stimulus ids.
    groups : (stimuli,) int, group of each stimulus of ``order``; stimuli are then shown some hundreds at a time, so
        that memory holds the means and not the features of every image.
    """
    if groups is None and (features := kept_rdms.features(candidate, region, stimuli)) is not None:
        return features
    if region == BEHAVIOUR:
        readout, layers = behavioural_readout(candidate)
        look = lambda shown: readout(shown, layers=layers)  # noqa: E731
    else:
        candidate.start_recording(region, time_bins=TIME_BINS)
        look = candidate.look_at
    if groups is None:
        return in_order(look(stimuli), order)
    total, groups = None, np.asarray(groups)
    for part, rows in parts(stimuli, order):
        features = in_order(look(part), order[rows])
        total = np.zeros((groups.max() + 1, features.shape[1])) if total is None else total
        np.add.at(total, groups[rows], features)
    return total / np.bincount(groups)[:, None]


def parts(stimuli, order, at_once: int = AT_ONCE):
    """(stimulus set, rows of ``order``) of some stimuli at a time, under names that the cache contract accepts."""
    by_id = {stimulus: i for i, stimulus in enumerate(stimuli["stimulus_id"].values)}
    for start in range(0, len(order), at_once):
        rows = np.arange(start, min(start + at_once, len(order)))
        part = stimuli.iloc[[by_id[order[i]] for i in rows]].reset_index(drop=True)
        part.stimulus_paths, part.identifier = stimuli.stimulus_paths, f"{stimuli.identifier}--from{start}"
        yield part, rows


def behavioural_readout(candidate: BrainModel):
    """The function stimuli -> activations that a model's odd-one-out choices are made from, and its layers.

    Brain-Score's own choices cannot be used: its argmax gives ties and NaN to the third image, which is the right
    one in this format, so that a constant representation would be perfect.
    """
    try:
        odd_one_out = candidate.behavior_model.mapping[BrainModel.Task.odd_one_out]
        return odd_one_out.activations_model, odd_one_out.readout
    except (AttributeError, KeyError, TypeError):
        raise TypeError(
            f"{candidate.identifier} has no behavioural readout layer that can be recorded; benchmarks of behaviour "
            "need a model made with brainscore_vision's ModelCommitment"
        ) from None
