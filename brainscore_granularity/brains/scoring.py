"""How a raw number becomes a Brain-Score Score that carries all that is known about it."""

from __future__ import annotations

from brainscore_core.metrics import Score

from brainscore_granularity import stats


def packed_score(raw, ceiling, chance, resampled, subject_scores, layer, n_stimuli, simulated) -> Score:
    """A Brain-Score Score on the scale (raw - chance) / (ceiling - chance), with everything known about it."""
    span = float(ceiling) - chance
    score = Score((raw - chance) / span)
    score.attrs[Score.RAW_VALUES_KEY] = Score(raw)
    score.attrs["ceiling"] = ceiling
    ceiled = (resampled - chance) / span
    score.attrs["error"] = float(ceiled.std(ddof=1))
    score.attrs["error_over"] = ["stimulus"]
    score.attrs["n_bootstrap"] = len(resampled)
    score.attrs["resampled"] = ceiled  # the same stimuli for all models, so that differences can be paired
    score.attrs["interval"] = tuple(float(v) for v in stats.interval(ceiled))
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
