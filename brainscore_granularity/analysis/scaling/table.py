"""Tables of scores: read, select, average, and check before anything is fitted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas

SEED_SUFFIX = r"_(?:seed-|s)\d+$"  # end of model ids: runs that differ only in the seed are one model
WIDEST_GAP = 1e5


class ScalingError(ValueError):
    """The data cannot be fitted; the message says why and how to fix it."""


class MissingColumns(ScalingError):
    """A requested column is not in the table."""


class BadScores(ScalingError):
    """Invalid scores: NaN, infinite, or 1 and above."""


class BadX(ScalingError):
    """Values of X without a logarithm."""


class MixedUnits(ScalingError):
    """X is given in several units."""


class TooFewPoints(ScalingError):
    """Fewer rows, or fewer different X, than parameters."""


@dataclass(frozen=True)
class Points:
    """The n rows to fit, checked.

    Parameters
    ----------
    x : (n,) or (n, 2), positive, divided by ``scale``
    loss : (n,), misalignment 1 - score, positive
    models : (n,), the model of each row; rows of one model are not independent
    names : names of the variables
    scale : divisor of x, one number per variable
    """

    x: np.ndarray
    loss: np.ndarray
    models: np.ndarray
    names: tuple[str, ...]
    scale: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.loss)

    def rows(self, which) -> Points:
        """Some of the rows."""
        return replace(self, x=self.x[which], loss=self.loss[which], models=self.models[which])


def read(path: Path) -> pandas.DataFrame:
    """A table from CSV (also compressed) or Parquet."""
    import pandas as pd

    if not Path(path).is_file():
        raise FileNotFoundError(f"no table {path}")
    return pd.read_parquet(path) if Path(path).suffix == ".parquet" else pd.read_csv(path, low_memory=False)


def select(table: pandas.DataFrame, where: str) -> pandas.DataFrame:
    """Rows for which a condition in pandas' query language holds: ``region == 'IT' and samples_per_class > 1``."""
    try:
        chosen = table.query(where, engine="python")
    except Exception as error:  # pandas passes on any error of its parser or of the comparison
        raise ScalingError(
            f"where: {where!r} cannot be read ({error}). Write for example \"region == 'IT'\"; columns: "
            + ", ".join(map(str, table.columns))
        ) from error
    if not len(chosen):
        raise TooFewPoints(f"where: no row of {len(table)} satisfies {where!r}")
    return chosen


def average(table: pandas.DataFrame, by: list[str], score: str = "score") -> pandas.DataFrame:
    """Mean score of the rows with equal values in ``by``, in the order of ``by``; rows without one are left out."""
    require(table, [*by, score])
    return table.groupby(by)[score].mean().reset_index()


def require(table: pandas.DataFrame, columns) -> None:
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise MissingColumns(f"no column {', '.join(missing)}; the table has {', '.join(map(str, table.columns))}")


def points(
    table: pandas.DataFrame,
    x: str | tuple[str, ...],
    score: str = "score",
    scale: float | tuple[float, ...] = 1.0,
    model: str | None = "model_id",
) -> Points:
    """Checked points of a table.

    Parameters
    ----------
    x : column or columns of the independent variable
    score : column of the scores; the fit is to 1 - score
    scale : divisor of X: the unit in which E + A X^-alpha is written
    model : column with the model of each row; a seed at the end of the name is ignored. None: every row is a separate
        model.
    """
    names = (x,) if isinstance(x, str) else tuple(x)
    require(table, [*names, score, *([model] if model else [])])
    _one_unit(table, names)
    scale = np.broadcast_to(np.asarray(scale, float), (len(names),))
    values = np.stack([_numbers(table, name, BadX) for name in names], axis=1)
    for name, column in zip(names, values.T, strict=True):
        _check_x(name, column)
    loss = 1 - _check_scores(score, _numbers(table, score, BadScores))
    if model:
        models = table[model].astype(str).str.replace(SEED_SUFFIX, "", regex=True).to_numpy()
    else:
        models = np.arange(len(loss)).astype(str)
    scaled = values / scale
    return Points(scaled[:, 0] if len(names) == 1 else scaled, loss, models, names, tuple(map(float, scale)))


def _numbers(table, name, error) -> np.ndarray:
    try:
        return table[name].to_numpy(dtype=float)
    except (TypeError, ValueError):
        raise error(f"{name}: expected numbers, found {table[name].dtype}, such as {table[name].iloc[0]!r}") from None


def _check_scores(name, scores) -> np.ndarray:
    if bad := int((~np.isfinite(scores)).sum()):
        raise BadScores(
            f"{name}: {bad} of {len(scores)} scores are missing or infinite; leave them out with --where "
            f'"{name} == {name}"'
        )
    if (high := scores.max(initial=0)) >= 1:
        percent = " They look like percentages: divide them by 100." if high > 2 else ""
        raise BadScores(
            f"{name}: expected scores below 1, since 1 - score is fitted on a log scale; {int((scores >= 1).sum())} of "
            f"{len(scores)} are not, the largest {high:g}.{percent}"
        )
    return scores


def _check_x(name, values) -> None:
    if bad := int((~np.isfinite(values) | (values <= 0)).sum()):
        raise BadX(
            f"{name}: expected positive numbers, since its logarithm is fitted; {bad} of {len(values)} are missing, "
            f'infinite, zero or negative. Leave them out with --where "{name} > 0"'
        )
    if len(values) < 2:
        raise TooFewPoints(f"{len(values)} row cannot be fitted")
    if values.min() == values.max():
        raise TooFewPoints(f"{name} is constant ({values[0]:g}): a curve over it is not defined")
    ordered = np.sort(values)
    gap = np.argmax(ordered[1:] / ordered[:-1])
    if ordered[gap + 1] / ordered[gap] > WIDEST_GAP:
        raise MixedUnits(
            f"{name}: {gap + 1} values are up to {ordered[gap]:g} and {len(values) - gap - 1} from "
            f"{ordered[gap + 1]:g} on, with nothing between: are there two units, such as FLOPs and PFLOPs? Convert "
            "one, or choose rows with --where"
        )


def _one_unit(table, names) -> None:
    for column in ("unit", "units", *(f"{name}_unit" for name in names)):
        if column in table.columns and table[column].nunique(dropna=False) > 1:
            found = ", ".join(map(str, table[column].unique()[:6]))
            raise MixedUnits(f"{column}: one unit is needed, found {found}; convert, or choose rows with --where")
