from brainscore_granularity.brains.measured_rsa import rsa_on
from brainscore_granularity.datasets.measured import NSD_SYNTHETIC

RECORDED = {"early": "V1", "ventral": "IT"}


def rsa_benchmark(region):
    return rsa_on(
        f"Allen2022_fmri_synthetic.{region}-rsa",
        version=1,
        data=NSD_SYNTHETIC,
        region=region,
        records=RECORDED[region],
        cite=("allen2022massive",),
        partial=True,
        summary="220 images, 8 subjects",
    )
