from brainscore_granularity.brains import concepts
from brainscore_granularity.brains.benchmark import RSABenchmark
from brainscore_granularity.brains.odd_one_out import OddOneOutBenchmark
from brainscore_granularity.brains.recording import BEHAVIOUR
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
    """Layers are chosen on a fifth of the concepts, `granularity commit MODEL --selection Hebart2023`."""
    source = Source(local=concepts.DATA, licence=LICENCE)
    return RSABenchmark(
        identifier="Hebart2023.concept-rsa",
        version=1,
        region=BEHAVIOUR,
        load=lambda: concepts.targets(concepts.TEST),
        visual_degrees=concepts.VISUAL_DEGREES,
        bibtex=REFERENCES,
        status=source.status,
        summary="1,484 concepts, one embedding of many people's choices",
        parent="behavior_vision",
    )
