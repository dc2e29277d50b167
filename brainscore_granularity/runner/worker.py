"""Scoring in a worker process: the same `Session.score` as elsewhere; the session lives as long as the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .session import Session

_sessions: dict[tuple, Session] = {}


def score(model: str, name: str, later: list[str], *settings) -> dict:
    """Score one pair in this process; parameters as `Session` and `Session.score`."""
    from .environment import settle

    settle()
    from .session import Session

    session = _sessions.setdefault(settings, Session(*settings))
    return session.score(model, name, later)
