"""Loaded by `dask worker --preload-nanny`: workers are forked from a process that has imported what they need.

Tests of lost workers then do not wait for imports, in every worker that takes the place of one that was lost.
"""

from multiprocessing import forkserver

forkserver.set_forkserver_preload(["faults"])
forkserver.ensure_running()
