from brainscore_granularity.brains import concepts
from brainscore_granularity.brains.odd_one_out import OddOneOutBenchmark
from brainscore_granularity.datasets.references import bibtex
from brainscore_granularity.datasets.sources import Source

VISUAL_DEGREES = 8
BEST_ACCURACY = 0.6767  # people who see a triplet again choose the same image this often
LICENCE = "terms of the THINGS image database"
REFERENCES = bibtex("hebart2023things", "mehta2026coarse", "kriegeskorte2008representational")


def triplet():
    source = Source("Hebart2023", "assy_Hebart2023.nc", "Hebart2023_local.triplet", licence=LICENCE)
    return OddOneOutBenchmark(
        identifier="Hebart2023.triplet",
        version=2,
        load=source.load,
        ceiling=BEST_ACCURACY,
        visual_degrees=VISUAL_DEGREES,
        bibtex=REFERENCES,
        status=source.status,
        summary="1,854 images, 453,642 choices",
    )


def concept_rsa():
    """Layers are chosen on a fifth of the concepts, `granularity commit MODEL --selection Hebart2023`.

    The other four fifths score, as in the published study, also for models whose layers were chosen on no data: all
    models then meet the same concepts, and their differences are paired.
    """
    return concepts.rsa_on("Hebart2023.concept-rsa", concepts.TEST, REFERENCES)
