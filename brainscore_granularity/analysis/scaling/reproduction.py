"""All published fits compared with ours: parameters and intervals, from the public table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import equation, study
from .fitting import fit
from .table import read
from .uncertainty import bootstrap, profile

if TYPE_CHECKING:
    import pandas

TABLE, COEFFICIENTS = "benchmark_scores.csv", "published_fit_coefficients.csv"
PARAMETERS = ("e", "a", "alpha", "b", "beta", "lambda")
SEED = 42
SAME_LOSS = 1e-8  # relative: published numbers have eight decimals or more
NOT_ABOVE = 1e-9


def reproduce(data: Path, resamples: int = 1000, only=None, progress=None) -> pandas.DataFrame:
    """One row per parameter of a published fit.

    Parameters
    ----------
    data : folder of the public table and of the published coefficients
    resamples : number of row resamples for the intervals; 0: no intervals
    only : names of fits; by default all in the published coefficients
    progress : called with the name of each fit

    Returns
    -------
    DataFrame
        experiment, parameter, published and ours with their 95% intervals, the profile range, whether the data identify
        the parameter, rows, the Huber loss on both sides, and the loss that the published parameters have on our rows.
    """
    import pandas as pd

    table, published = read(Path(data, TABLE)), read(Path(data, COEFFICIENTS)).set_index("experiment")
    names = list(only or published.index)
    if unknown := [name for name in names if name not in published.index]:
        raise ValueError(f"no published fit {', '.join(unknown)}; there are {', '.join(published.index)}")
    out = []
    for name in names:
        if progress:
            progress(name)
        theirs = published.loc[name]
        points = study.published_points(table, name)
        found = fit(points, study.FITS[name].law)
        loss_of_theirs = equation.loss(points, theirs[[name for name in PARAMETERS if name in found.parameters]])
        ranges = profile(found)
        drawn = None
        if resamples:
            drawn = bootstrap(found, resamples, "row", SEED, all_starts=len(found.theta) == 3)
        for parameter in PARAMETERS:
            if parameter not in found.parameters:
                continue
            low, high = drawn.interval(parameter) if drawn else (np.nan, np.nan)
            out.append(
                {
                    "experiment": name,
                    "law": found.name,
                    "rows": len(found.points),
                    "parameter": parameter,
                    "published": theirs[parameter],
                    "published_low": theirs[f"{parameter}_lo"],
                    "published_high": theirs[f"{parameter}_hi"],
                    "ours": found.parameters[parameter],
                    "ours_low": low,
                    "ours_high": high,
                    "profile_low": ranges[parameter].low,
                    "profile_high": ranges[parameter].high,
                    "identified": ranges[parameter].identified,
                    "published_loss": theirs["huber_loss"],
                    "our_loss": found.loss,
                    "loss_of_theirs": loss_of_theirs,
                }
            )
    return pd.DataFrame(out)


def verdicts(rows: pandas.DataFrame) -> pandas.DataFrame:
    """Whether each fit is reproduced: same rows, same loss, and a minimum that is not above the published one.

    The published parameters have the published loss only on the rows they were fitted to. This test needs no optimiser,
    and also works for parameters that the data do not identify.

    Parameters
    ----------
    rows : the result of `reproduce`

    Returns
    -------
    DataFrame
        By experiment: same (the loss of the published parameters is the published one, to 8 digits), lower (ours is
        lower than that, by more than 1e-9), reproduced (same, and ours is not above).
    """
    fits = rows.groupby("experiment", sort=False)[["published_loss", "our_loss", "loss_of_theirs"]].first()
    same = (fits["loss_of_theirs"] / fits["published_loss"] - 1).abs() < SAME_LOSS
    gap = fits["our_loss"] - fits["published_loss"]
    return fits.assign(same=same, lower=gap < -NOT_ABOVE, reproduced=same & (gap < NOT_ABOVE))


def digits(published, ours) -> np.ndarray:
    """Number of significant digits to which two numbers agree: -log10 of their relative difference, rounding included.

    >>> digits([0.15693], [0.15694]).round(1).tolist()
    [3.9]
    """
    published, ours = np.asarray(published, float), np.asarray(ours, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = np.abs(ours - published) / np.abs(published)
        return np.minimum(np.where(difference == 0, np.inf, -np.log10(2 * difference)), 12.0)
