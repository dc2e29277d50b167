"""The engine for several processes: sends pairs to the workers of a Dask scheduler, one at a time to each worker.

A worker keeps its model until no pairs of that model are left, so that activations are reused as in one process. If a
worker is lost or runs out of memory, its current pair is tried once more on another worker and then recorded as failed.
If a pair takes longer than the time limit, its worker is stopped, and Dask's nanny process starts a new one.
"""

from __future__ import annotations

import errno
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from . import worker

POLL_SECONDS = 0.25
REVIVE_SECONDS = 20.0


@dataclass(frozen=True)
class Limits:
    timeout: float | None = None  # seconds that a pair may take
    retries: int = 1  # how often to try a pair again whose worker was lost
    patience: float = 60.0  # seconds to wait for new workers after the last one was lost


@dataclass
class _Running:
    pair: tuple[str, str]
    future: Any
    since: float = field(default_factory=time.monotonic)


def on_workers(pool, limits: Limits, *settings) -> Callable[..., Iterator[dict]]:
    """An engine that uses the workers of a pool, see `clusters`; ``settings`` are those of `Session`."""

    def engine(by_model, wanted, started):
        waiting = {model: list(names) for model, names in by_model.items() if names}
        running: dict[str, _Running] = {}
        held: dict[str, str] = {}  # worker -> the model it has loaded
        losses: Counter = Counter()
        seen = revived = time.monotonic()
        any_seen = False

        def lost(one: _Running) -> dict | None:
            losses[one.pair] += 1
            if losses[one.pair] <= limits.retries:
                waiting.setdefault(one.pair[0], []).insert(0, one.pair[1])
                return None
            times = f"{losses[one.pair]} times" if losses[one.pair] > 1 else "once"
            return _failed(one, f"WorkerLost: its worker was killed or ran out of memory, {times}")

        try:
            while waiting or running:
                workers, now = pool.workers(), time.monotonic()
                if workers:
                    any_seen, seen = True, now
                elif any_seen and now - seen > limits.patience:
                    left = sum(map(len, waiting.values())) + len(running)
                    raise RuntimeError(
                        f"no worker has been left for {limits.patience:.0f} s; {left} pairs are not scored. "
                        f"{pool.advice} The same command continues from here."
                    )
                if now - revived > REVIVE_SECONDS:
                    pool.revive()
                    revived = now

                for address in [address for address in running if address not in workers]:
                    if not running[address].future.done():
                        one = running.pop(address)
                        one.future.cancel()
                        if (record := lost(one)) is not None:
                            yield record
                for address in workers:
                    if address in running:
                        continue
                    while (pair := _next(waiting, held, address, running)) is not None:
                        if not wanted(*pair):
                            yield None
                            continue
                        model, name = pair
                        later = waiting.get(model, [])
                        future = pool.submit(address, worker.score, model, name, list(later), *settings)
                        running[address], held[address] = _Running(pair, future), model
                        started(model, name)
                        break

                pool.wait([one.future for one in running.values()], POLL_SECONDS)
                for address, one in list(running.items()):
                    if one.future.done():
                        del running[address]
                        record = _result(one)
                        if record is None:
                            record = lost(one)
                        if record is not None:
                            yield record
                    elif limits.timeout and time.monotonic() - one.since > limits.timeout:
                        del running[address]
                        pool.end(address, one.future)
                        held.pop(address, None)
                        yield _failed(one, f"TimeLimit: not finished after {limits.timeout:g} s")
        finally:
            for one in running.values():
                one.future.cancel()

    return engine


def _next(waiting, held, address, running) -> tuple[str, str] | None:
    """The next pair for a worker: of its own model, else of a model that no worker has, else from the longest queue."""
    model = held.get(address)
    if model not in waiting:
        others = {one.pair[0] for one in running.values()}
        free = [name for name in waiting if name not in others]
        model = free[0] if free else max(waiting, key=lambda name: len(waiting[name]), default=None)
    if model is None:
        return None
    held[address] = model
    names = waiting[model]
    pair = model, names.pop(0)
    if not names:
        del waiting[model]
    return pair


def _result(one: _Running) -> dict | None:
    """The record of a finished pair, None if its worker was lost."""
    from distributed.scheduler import KilledWorker

    if one.future.status == "finished":
        return one.future.result()
    if one.future.status != "error":
        return None
    error = one.future.exception()
    if isinstance(error, KilledWorker):
        return None
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise error
    return _failed(one, f"{type(error).__name__}: {error}")


def _failed(one: _Running, reason: str) -> dict:
    from .record import outcome

    return outcome(*one.pair, time.monotonic() - one.since, failed=reason)


class Pool:
    """The workers of one Dask scheduler.

    advice : what a user can do when no worker is left.
    revive : called regularly; starts lost workers again if their queueing system does not.
    """

    def __init__(self, client, advice: str = "", revive: Callable[[], None] = lambda: None):
        self.client, self.advice, self.revive = client, advice, revive

    def workers(self) -> list[str]:
        return sorted(self.client.nthreads())

    def submit(self, address: str, function, *arguments):
        key = f"{arguments[0]}-{arguments[1]}-{uuid.uuid4().hex[:8]}"
        return self.client.submit(function, *arguments, key=key, workers=[address], pure=False)

    def wait(self, futures, seconds: float) -> None:
        """Wait until one of the futures is done, or for at most some seconds."""
        from distributed import wait

        if not futures:
            time.sleep(seconds)
            return
        try:
            wait(futures, timeout=seconds, return_when="FIRST_COMPLETED")
        except TimeoutError:
            pass

    def end(self, address: str, future) -> None:
        """End a worker that does not answer; its nanny starts another."""
        future.cancel(force=True)
        self.client.restart_workers([address], timeout=30, raise_for_error=False)
