"""RSA on measured responses: what the benchmark plugins of all such data sets, and the selections of layers, share."""

from __future__ import annotations

from dataclasses import replace

from brainscore_granularity.datasets.measured import Measured
from brainscore_granularity.datasets.references import bibtex
from brainscore_granularity.datasets.sources import Source

from .benchmark import RSABenchmark
from .shown import with_pictures
from .targets import from_responses

METHOD = ("mehta2026coarse", "kriegeskorte2008representational")


def rsa_on(
    identifier: str,
    version: int,
    data: Measured,
    region: str,
    *,
    part: str = "test",
    source: Source | None = None,
    records: str | None = None,
    ceiling: str = "subjects",
    n_stimuli: int | None = None,
    cite: tuple[str, ...] = (),
    partial: bool = False,
    summary: str = "",
) -> RSABenchmark:
    """RSA on one region of a measured data set.

    Parameters
    ----------
    identifier, version, partial, summary : as for `RSABenchmark`.
    region : as the data set calls it.
    part : "test", "train" or one subject's part of it.
    source : where the responses are; by default as the data set says.
    records : what a model records there; default the region.
    ceiling, n_stimuli : as for `from_responses`.
    cite : keys in `references`, besides those of the data set and of the method.
    """
    source = source or data.source(region, part)

    def load():
        targets = from_responses(source.load(), data.subject, data.reliable, ceiling, n_stimuli)
        return replace(targets, stimulus_set=with_pictures(targets.stimulus_set, data.pictures))

    return RSABenchmark(
        identifier=identifier,
        version=version,
        region=records or region,
        load=load,
        visual_degrees=data.visual_degrees,
        bibtex=bibtex(data.reference, *cite, *METHOD),
        partial=partial,
        status=source.status,
        summary=summary,
    )
