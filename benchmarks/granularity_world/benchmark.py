from brainscore_vision import load_dataset

from brainscore_granularity.brains.benchmark import RSABenchmark
from brainscore_granularity.brains.odd_one_out import OddOneOutBenchmark
from brainscore_granularity.brains.targets import from_responses
from brainscore_granularity.datasets.references import bibtex

VISUAL_DEGREES = 8
REFERENCES = bibtex("mehta2026coarse")


def rsa_benchmark(data_identifier, region):
    return RSABenchmark(
        identifier=f"{data_identifier}-rsa",
        version=2,
        region=region,
        load=lambda: from_responses(load_dataset(data_identifier)),
        visual_degrees=VISUAL_DEGREES,
        bibtex=REFERENCES,
        simulated=True,
        summary="256 images, 4 subjects",
    )


def triplet_benchmark(data_identifier):
    return OddOneOutBenchmark(
        identifier=data_identifier,
        version=3,
        load=lambda: load_dataset(data_identifier),
        ceiling=None,  # known, because the observer is simulated
        visual_degrees=VISUAL_DEGREES,
        bibtex=REFERENCES,
        simulated=True,
        summary="256 images, 4,000 choices",
    )
