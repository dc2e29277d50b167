from brainscore_vision import load_dataset

from brainscore_granularity.benchmark import OddOneOutBenchmark, RSABenchmark
from brainscore_granularity.targets import from_responses

VISUAL_DEGREES = 8
BIBTEX = """@article{mehta2026coarse,
  title = {An extremely coarse feedback signal is sufficient for learning human-aligned visual representations},
  author = {Mehta, Yash and Bonner, Michael F.},
  journal = {arXiv preprint arXiv:2605.05556},
  year = {2026},
  url = {https://arxiv.org/abs/2605.05556}
}"""


def rsa_benchmark(data_identifier, region):
    return RSABenchmark(
        identifier=f"{data_identifier}-rsa",
        version=1,
        region=region,
        load=lambda: from_responses(load_dataset(data_identifier)),
        visual_degrees=VISUAL_DEGREES,
        bibtex=BIBTEX,
        simulated=True,
        summary="256 images, 4 subjects",
    )


def triplet_benchmark(data_identifier):
    return OddOneOutBenchmark(
        identifier=data_identifier,
        version=2,
        load=lambda: load_dataset(data_identifier),
        ceiling=None,  # known, because the observer is simulated
        visual_degrees=VISUAL_DEGREES,
        bibtex=BIBTEX,
        simulated=True,
        summary="256 images, 4,000 choices",
    )
