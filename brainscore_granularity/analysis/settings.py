"""Settings that all analyses share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Settings that all analyses share.

    components : number of principal components to analyse; more than the images allow is an error. None: all, up to the
        limit of each analysis.
    resamples : number of resamples for intervals.
    seed : seed of all random choices.
    pool : models that predict the others in `universality`, the same for all.
    """

    components: int | None = None
    resamples: int = 1000
    seed: int = 0
    pool: tuple[str, ...] = ()
