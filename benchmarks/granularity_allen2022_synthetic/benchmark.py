from brainscore_granularity.brains.benchmark import RSABenchmark
from brainscore_granularity.brains.targets import from_responses
from brainscore_granularity.datasets.sources import Source

VISUAL_DEGREES = 8.4
RELIABLE = ("nc_testset", 30)
RECORDED = {"early": "V1", "ventral": "IT"}
BIBTEX = """@article{gifford2025synthetic,
  title = {A {7T} {fMRI} dataset of synthetic images for out-of-distribution modeling of vision},
  author = {Gifford, Alessandro T. and Cichy, Radoslaw M. and Naselaris, Thomas and Kay, Kendrick},
  journal = {arXiv preprint arXiv:2503.06286},
  year = {2025},
  url = {https://arxiv.org/abs/2503.06286}
}
@article{allen2022massive,
  title = {A massive {7T} {fMRI} dataset to bridge cognitive neuroscience and artificial intelligence},
  author = {Allen, Emily J. and St-Yves, Ghislain and Wu, Yihan and Breedlove, Jesse L. and Prince, Jacob S. and
    Dowdle, Logan T. and Nau, Matthias and Caron, Brad and Pestilli, Franco and Charest, Ian and Hutchinson, J. Benjamin
    and Naselaris, Thomas and Kay, Kendrick},
  journal = {Nature Neuroscience},
  year = {2022},
  url = {https://doi.org/10.1038/s41593-021-00962-x}
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
    source = Source(local=f"Allen2022_fmri_synthetic_local.{region}.test", licence="NSD terms and conditions")
    return RSABenchmark(
        identifier=f"Allen2022_fmri_synthetic.{region}-rsa",
        version=1,
        region=RECORDED[region],
        load=lambda: from_responses(source.load(), keep=RELIABLE),
        visual_degrees=VISUAL_DEGREES,
        bibtex=BIBTEX,
        partial=True,
        status=source.status,
        summary="220 images, 8 subjects",
    )
