"""Encoding of measured responses: what the benchmark plugins of all such data sets share."""

from __future__ import annotations

from dataclasses import replace

from brainscore_granularity.datasets.measured import Measured
from brainscore_granularity.datasets.references import bibtex

from .encoding_benchmark import EncodingBenchmark
from .populations import Populations, populations
from .shown import with_pictures

METHOD = ("mehta2026coarse", "naselaris2011encoding")


def ridge_on(
    identifier: str, version: int, data: Measured, region: str, *, records: str | None = None, summary: str = ""
) -> EncodingBenchmark:
    """Ridge encoding of one region of a measured data set: each subject a population, on its test images alone.

    Parameters
    ----------
    identifier, version, summary : as for `EncodingBenchmark`.
    region : as the data set calls it.
    records : what a model records there; default the region.
    """
    source = data.source(region)

    def load() -> Populations:
        found = populations(identifier, [source.load()], data.subject, data.reliable, data.whole)
        return replace(found, stimulus_set=with_pictures(found.stimulus_set, data.pictures))

    return EncodingBenchmark(
        identifier=identifier,
        version=version,
        region=records or region,
        load=load,
        visual_degrees=data.visual_degrees,
        bibtex=bibtex(data.reference, *METHOD),
        status=source.status,
        summary=summary,
    )
