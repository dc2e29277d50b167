from brainscore_granularity.brains.measured_encoding import ridge_on
from brainscore_granularity.brains.measured_rsa import rsa_on
from brainscore_granularity.datasets.measured import THINGS_FMRI
from brainscore_granularity.datasets.sources import Source

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


def of_720_concepts(region):
    """RSA on one image of each of 720 concepts, shown once, as in the published comparison of learning rules.

    The score is the mean over people; ``subject_scores`` has each, and ``mean_rdm_score`` the correlation with their
    mean RDM, which that comparison reported at first. The images are train images: layers that were chosen on the
    selection `Hebart2023_fmri` are refused.
    """
    build = THINGS_FMRI.local.format(region=region, part="concepts720")
    return rsa_on(
        f"Hebart2023_fmri.{region}-720-rsa",
        version=1,
        data=THINGS_FMRI,
        region=region,
        source=Source(local=build, licence=THINGS_FMRI.licence),  # Brain-Score's data have no such part
        records=RECORDED[region],
        cite=("leutenegger2026untrained",),
        partial=True,
        summary="720 images of as many concepts, shown once, 3 subjects",
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
