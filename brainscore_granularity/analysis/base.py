"""The analyses by name: the question of each, how to read it, and what it needs. One file each in ``questions/``.

To add one: a pure function in ``measures/<name>.py``, a file ``questions/<name>.py`` that ends in
``ANALYSIS = Analysis(...)``, and its name here.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

NAMES = (
    "spectrum", "universality", "reconstruction", "geometry", "pcs", "agreement", "selectivity", "usefulness",
    "dynamics", "matched", "objectives", "scaling", "rules", "species",
)  # fmt: skip


class NotApplicable(ValueError):
    """This analysis cannot be done with these models, images or benchmarks; the message says what it needs."""


@dataclass
class Findings:
    """The results of an analysis.

    tables : {name: tidy table}, written as CSV and Parquet.
    answer : one plain sentence with its interval, made from the numbers.
    warnings : limits that a reader must know: one seed only, no better than the null, ...
    arrays : other data for the figures.
    """

    tables: dict[str, pandas.DataFrame]
    answer: str
    warnings: list[str] = field(default_factory=list)
    arrays: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Analysis:
    """One analysis: its question, and how to answer it.

    run : `study.Study` -> Findings; raises `NotApplicable` where the study lacks what it needs.
    draw : findings -> {file name: (figure, caption)}, matplotlib figures in the package's style.
    needs : digests of every layer of every model, see `digests.DIGESTS`; made before ``run``.
    inputs : study -> what else its results depend on, as plain data; called before ``run``.
    version : increased when the same inputs give other results; older results are then computed again.
    """

    name: str
    question: str
    how_to_read: str
    run: Callable[[Any], Findings]
    draw: Callable[[Findings], dict[str, tuple[Any, str]]]
    needs: tuple[str, ...] = ("gram",)
    inputs: Callable[[Any], Any] = lambda study: None
    version: int = 1


def load(name: str) -> Analysis:
    """An analysis by name."""
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        raise ValueError(
            f"no analysis {name!r}{f'; did you mean {near[0]}?' if near else ''} There are: all, {', '.join(NAMES)}"
        )
    return import_module(f".questions.{name}", __package__).ANALYSIS
