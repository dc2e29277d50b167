"""`make study`: train the networks of docs/study.md, or list them with what is done."""

from __future__ import annotations

import sys
from pathlib import Path


def main(data: str, *options: str) -> None:
    """Train what is missing.

    options : ``list`` only lists; a number is that of processes; a file is the taxonomy.
    """
    from brainscore_granularity.training import study

    workers = next((int(option) for option in options if option.isdigit()), 2)
    is_a = next((Path(option) for option in options if Path(option).is_file()), None)
    jobs = study.jobs(is_a)
    todo = [job for job in jobs if not study.is_done(job)]
    networks = sum(job.is_network for job in todo)
    print(f"{len(jobs)} jobs, {len(todo)} to do, {networks} of them networks", flush=True)
    if "list" in options:
        for job in jobs:
            print(f"{'to do' if job in todo else 'done':6}{job.makes}")
        return
    if todo:
        seconds = study.seconds_a_network() * networks / workers
        print(f"estimate: {seconds / 3600:.1f} h in {workers} processes of one thread, without labels", flush=True)
    if failed := study.run(Path(data), jobs, workers):
        raise SystemExit(f"not done: {', '.join(failed)}; logs are in $BRAINSCORE_GRANULARITY_HOME/study")


if __name__ == "__main__":
    main(*sys.argv[1:])
