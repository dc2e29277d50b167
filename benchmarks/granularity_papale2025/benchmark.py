from brainscore_granularity.brains.benchmark import RSABenchmark
from brainscore_granularity.brains.targets import from_responses
from brainscore_granularity.datasets.sources import Source

VISUAL_DEGREES = 18  # 17.3 for one monkey, 18.6 for the other
RELIABLE = ("reliability", 0.3)
BIBTEX = """@article{papale2025extensive,
  title = {An extensive dataset of spiking activity to reveal the syntax of the ventral stream},
  author = {Papale, Paolo and Wang, Feng and Self, Matthew W. and Roelfsema, Pieter R.},
  journal = {Neuron},
  year = {2025},
  url = {https://doi.org/10.1016/j.neuron.2024.12.003}
}
@article{mehta2026coarse,
  title = {An extremely coarse feedback signal is sufficient for learning human-aligned visual representations},
  author = {Mehta, Yash and Bonner, Michael F.},
  journal = {arXiv preprint arXiv:2605.05556},
  year = {2026},
  url = {https://arxiv.org/abs/2605.05556}
}
@article{kriegeskorte2008representational,
  title = {Representational similarity analysis -- connecting the branches of systems neuroscience},
  author = {Kriegeskorte, Nikolaus and Mur, Marieke and Bandettini, Peter A.},
  journal = {Frontiers in Systems Neuroscience},
  year = {2008},
  url = {https://doi.org/10.3389/neuro.06.004.2008}
}"""


def rsa_benchmark(region):
    """Two monkeys say little about each other: the ceiling is how well each predicts itself from other repeats."""
    file, local = "assy_THINGS_TVSD_test_Assembly.nc", f"Papale2025_local.{region}.test"
    source = Source("Papale2025_test", file, local, region, "licence stated with the TVSD")
    return RSABenchmark(
        identifier=f"Papale2025.{region}-rsa",
        version=1,
        region=region,
        load=lambda: from_responses(source.load(), keep=RELIABLE, ceiling="repeats"),
        visual_degrees=VISUAL_DEGREES,
        bibtex=BIBTEX,
        status=source.status,
        summary="100 images, 2 monkeys",
    )
