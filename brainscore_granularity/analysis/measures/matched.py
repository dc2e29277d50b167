"""Is it accuracy? Alignment of networks at the same accuracy on one task, along their checkpoints."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control


class Track(NamedTuple):
    """One network along training; accuracy must be on the same task for all networks.

    accuracy, alignment : (t,) in the order of the checkpoints.
    samples : (resamples, t) alignment on resamples of images, the same for all networks.
    """

    accuracy: np.ndarray
    alignment: np.ndarray
    samples: np.ndarray


def at_accuracy(accuracy, alignment, level: float):
    """Alignment where accuracy first reaches a level, interpolated between checkpoints; NaN if it never does.

    alignment : (..., t)
    """
    accuracy, alignment = np.asarray(accuracy, float), np.asarray(alignment, float)
    if alignment.shape[-1] != len(accuracy):
        raise ValueError(f"expected an alignment for each of {len(accuracy)} accuracies, got {alignment.shape}")
    reached = np.flatnonzero(accuracy >= level)
    if not len(reached):
        return np.full(alignment.shape[:-1], np.nan)[()]
    i = reached[0]
    if i == 0:
        return alignment[..., 0][()]
    share = (level - accuracy[i - 1]) / (accuracy[i] - accuracy[i - 1])
    return (1 - share) * alignment[..., i - 1] + share * alignment[..., i]


def common_level(tracks: dict[str, Track]) -> float:
    """The highest accuracy that every network reaches."""
    return min(float(np.max(track.accuracy)) for track in tracks.values())


def table(tracks: dict[str, Track], reference: str, levels=None) -> pd.DataFrame:
    """One row per network and accuracy level: alignment with its 95% interval, and the difference to the reference.

    The null is no difference: p is two-sided, from the resamples of images that both share; q over all rows.

    levels : accuracies to compare at; by default the highest that all networks reach, and for each network the
        highest that both it and the reference reach.
    """
    if reference not in tracks:
        raise ValueError(f"no network {reference!r} to compare with; there are {', '.join(tracks)}")
    if levels is None:
        top = np.max(tracks[reference].accuracy)
        levels = sorted({common_level(tracks), *(min(top, np.max(t.accuracy)) for t in tracks.values())})
    rows = []
    for level in levels:
        base = tracks[reference]
        base_value, base_samples = (at_accuracy(base.accuracy, y, level) for y in (base.alignment, base.samples))
        for name, track in tracks.items():
            value, samples = (at_accuracy(track.accuracy, y, level) for y in (track.alignment, track.samples))
            row = {"level": float(level), "model": name, "reached": bool(np.isfinite(value)), "value": value}
            row |= dict(zip(("low", "high"), quantiles(samples), strict=True)) | {"difference": value - base_value}
            row |= dict(zip(("difference_low", "difference_high"), quantiles(samples - base_samples), strict=True))
            row["p"] = two_sided(samples - base_samples) if name != reference else np.nan
            rows.append(row)
    frame = pd.DataFrame(rows).assign(q=np.nan)
    known = frame["p"].notna()
    if known.any():
        frame.loc[known, "q"] = false_discovery_control(frame.loc[known, "p"].to_numpy())
    return frame


def quantiles(samples) -> tuple[float, float]:
    return tuple(np.quantile(samples, [0.025, 0.975])) if np.isfinite(samples).all() else (np.nan, np.nan)


def two_sided(differences) -> float:
    """Twice the smaller share of resamples on one side of 0, never below 2 / (n + 1)."""
    if not np.isfinite(differences).all():
        return float("nan")
    sides = (differences <= 0).sum(), (differences >= 0).sum()
    return float(min(1.0, 2 * (min(sides) + 1) / (len(differences) + 1)))
