"""What a user may change about all analyses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What a user may change.

    components : how many principal components to look at; more than the images allow is an error. None: as many as
        there are, up to each analysis's own limit.
    resamples : for intervals.
    seed : of all that is drawn.
    pool : models that predict the others in `universality`, the same for all.
    """

    components: int | None = None
    resamples: int = 1000
    seed: int = 0
    pool: tuple[str, ...] = ()
