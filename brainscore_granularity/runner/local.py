"""The engine without workers: one pair after the other in this process, model by model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .session import Session


def in_process(session: Session) -> Callable[..., Iterator[dict | None]]:
    """An engine that uses this session; yields None for a pair that is no longer wanted."""

    def engine(by_model, wanted, started):
        for model, names in by_model.items():
            for i, name in enumerate(names):
                if wanted(model, name):
                    started(model, name)
                    yield session.score(model, name, later=names[i + 1 :])
                else:
                    yield None
            session.release()

    return engine
