"""How a raw number becomes a Brain-Score Score that carries all that is known about it."""

from __future__ import annotations

from brainscore_core.metrics import Score

from brainscore_granularity import stats


def packed_score(
    raw, ceiling, chance, resampled, subject_scores, layer, n_stimuli, simulated, surplus=None, estimate=None
) -> Score:
    """A Brain-Score Score on the scale (raw - chance) / (ceiling - chance), with everything known about it.

    resampled : (resamples,) raw scores on resamples of the stimuli, which give error and interval.
    surplus, estimate : where these would spread too far: what is to come off the variance of differences between them
        (see ``stats.overlaps``), and the raw score with its error and interval.
    """
    span = float(ceiling) - chance
    score = Score((raw - chance) / span)
    score.attrs[Score.RAW_VALUES_KEY] = Score(raw)
    score.attrs["ceiling"] = ceiling
    ceiled = (resampled - chance) / span
    score.attrs["error"] = float(ceiled.std(ddof=1)) if estimate is None else estimate.error / span
    score.attrs["error_over"] = ["stimulus"]
    score.attrs["n_bootstrap"] = len(resampled)
    score.attrs["resampled"] = ceiled  # the same stimuli for all models, so that differences can be paired
    if surplus is not None:
        score.attrs["surplus"] = surplus / span
    ends = stats.interval(resampled) if estimate is None else (estimate.low, estimate.high)
    score.attrs["interval"] = tuple(float((v - chance) / span) for v in ends)
    score.attrs["chance"] = chance
    score.attrs["subject_scores"] = {str(name): float(value) for name, value in subject_scores.items()}
    score.attrs["layer"] = layer
    score.attrs["n_stimuli"] = n_stimuli
    score.attrs["simulated"] = simulated
    return score


def ceiling_score(lower: float, upper: float, kind: str) -> Score:
    """The upper noise ceiling, by which scores are divided, with both bounds in attrs.

    kind : what it was estimated from: "subjects", "repeats", "choices" (people's agreement), or "unknown".
    """
    ceiling = Score(float(upper))
    ceiling.attrs.update(lower=float(lower), upper=float(upper), kind=kind)
    return ceiling
