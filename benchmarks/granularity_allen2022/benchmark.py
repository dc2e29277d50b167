from brainscore_granularity.brains.measured_encoding import ridge_on
from brainscore_granularity.brains.measured_rsa import rsa_on
from brainscore_granularity.datasets.measured import NSD

# region -> what a model records there
RECORDED = {
    "V1": "V1",
    "V2": "V2",
    "V3": "V2",
    "V4": "V4",
    "early": "V1",
    "ventral": "IT",
    "FFA": "IT",
    "PPA": "IT",
    "IT": "IT",
}


def rsa_benchmark(region):
    in_brainscore = region in NSD.regions
    return rsa_on(
        f"Allen2022_fmri.{region}-rsa",
        version=1,
        data=NSD,
        region=region,
        records=RECORDED[region],
        partial=True,
        summary=f"{'103 images (515 from a local build)' if in_brainscore else '515 images'}, 8 subjects",
    )


def ridge_benchmark(region):
    """Fitted and tested on the shared images, in five folds; Brain-Score's own fit to its train images."""
    return ridge_on(
        f"Allen2022_fmri.{region}-ridge",
        version=1,
        data=NSD,
        region=region,
        records=RECORDED[region],
        summary="515 images, 8 subjects",
    )
