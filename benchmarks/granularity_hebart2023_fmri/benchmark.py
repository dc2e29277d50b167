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
