from brainscore_granularity.brains.measured_encoding import ridge_on
from brainscore_granularity.brains.measured_rsa import rsa_on
from brainscore_granularity.datasets.measured import THINGS_FMRI

RECORDED = {"V1": "V1", "V2": "V2", "V4": "V4", "LOC": "IT", "IT": "IT"}


def rsa_benchmark(region):
    return rsa_on(
        f"Hebart2023_fmri.{region}-rsa",
        version=1,
        data=THINGS_FMRI,
        region=region,
        records=RECORDED[region],
        partial=True,
        summary="100 images, 3 subjects",
    )


def ridge_benchmark(region):
    """Fitted and tested on the 100 images, in five folds: noise is known from their 12 repeats."""
    return ridge_on(
        f"Hebart2023_fmri.{region}-ridge",
        version=1,
        data=THINGS_FMRI,
        region=region,
        records=RECORDED[region],
        summary="100 images, 3 subjects",
    )
