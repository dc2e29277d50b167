"""Output of `granularity score --dry-run`."""

from __future__ import annotations

from collections import Counter

from brainscore_granularity.runner.estimate import Cost
from brainscore_granularity.runner.grid import Plan


def print_plan(plan: Plan, costs: dict[tuple[str, str], Cost | None], workers: int) -> None:
    """Print one line for each kind of pair, then time and memory."""
    total = len(plan.done) + len(plan.todo) + len(plan.missing)
    print(f"{total} pairs: {len(plan.done)} done, {len(plan.todo)} to score, {len(plan.missing)} cannot be scored")
    for reason, count in Counter(plan.todo.values()).most_common():
        print(f"  to score: {count:5} {reason}")
    by_benchmark: dict[tuple[str, str], int] = Counter((name, why) for (_, name), why in plan.missing.items())
    for (name, why), count in by_benchmark.items():
        print(f"  missing:  {count:5} {name}: {why}")
    known = {pair: cost for pair, cost in costs.items() if cost is not None}
    if not known:
        return
    seconds = sum(cost.seconds for cost in known.values())
    memory = max((cost.memory_mb or 0 for cost in known.values()), default=0)
    where = f"{workers} worker{'s' * (workers > 1)}"
    print(f"estimate: {_duration(seconds / workers)} on {where}, up to {memory:,.0f} MB each")
    sources = Counter(cost.source for cost in known.values())
    if sources["one batch"]:
        print(f"  {sources['one batch']} from one batch through the model: activations only, scoring comes on top")
    if len(known) < len(costs):
        print(f"  {len(costs) - len(known)} pairs could not be estimated and are not in it")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
