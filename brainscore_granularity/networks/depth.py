"""Layers of a network for the regions of the ventral stream, by a rule that uses no brain data."""

from __future__ import annotations

from collections.abc import Sequence

DEPTHS = {"V1": 0.25, "V2": 0.5, "V4": 0.75, "IT": 1.0}
HIDDEN = ("fc", "pooled", "head")  # layers whose units have no position in the image


def layers_by_depth(candidates: Sequence[str], readout: str) -> dict[str, str]:
    """{region: layer} by relative depth; no brain data are used, so the choice cannot overfit and has no noise.

    Candidates are convolutional stages after their non-linearity: of ``conv1`` and ``relu1`` only ``relu1``, and none
    that follows a hidden layer (``fc``). Of n such stages, stage i has depth i / n. V1 is the stage nearest to .25, V2
    to .5, V4 to .75 (if two are equally near, the later one), IT the last; behaviour is the readout.

    Parameters
    ----------
    candidates : names of layers, early to late.
    readout : the last hidden layer, from which a network's features are taken.

    Examples
    --------
    >>> layers_by_depth(["conv1", "relu1", "conv2", "relu2", "conv3", "relu3", "fc1", "relu4"], "relu4")
    {'V1': 'relu1', 'V2': 'relu2', 'V4': 'relu2', 'IT': 'relu3', 'behavior': 'relu4'}
    """
    stages, hidden = [], False
    for name in candidates:
        kind = name.rpartition(".")[2]
        hidden = hidden or kind.startswith(HIDDEN)
        if not hidden and name != readout and not kind.startswith("conv"):
            stages.append(name)
    if not stages:
        raise ValueError(
            f"no candidate is a convolutional stage after its non-linearity, got {', '.join(candidates)}; name layers "
            "with `granularity commit --layers` and choose them on a selection"
        )
    n = len(stages)

    def nearest(depth: float) -> str:
        return stages[max(range(n), key=lambda i: (-round(abs((i + 1) / n - depth), 9), i))]

    return {**{region: nearest(depth) for region, depth in DEPTHS.items()}, "behavior": readout}
