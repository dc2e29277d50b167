"""RSA on LAION-fMRI: what the benchmark plugin and the selection of layers share."""

from __future__ import annotations

from brainscore_granularity.datasets.laion_fmri import People
from brainscore_granularity.datasets.measured import LAION_FMRI

from .benchmark import RSABenchmark
from .measured_rsa import rsa_on

IMAGES = {
    "natural": "641 natural images",
    "ood": "371 images out of distribution",
    "selection": "240 photographs of objects",
}


def rsa_on_part(identifier: str, region: str, part: str) -> RSABenchmark:
    """RSA on one region and one part of the images that all five people saw, see `datasets.laion_fmri`."""
    return rsa_on(
        identifier,
        version=1,
        data=LAION_FMRI,
        region=region,
        source=People(region, part),
        partial=True,
        summary=f"{IMAGES[part]}, 5 subjects",
    )
