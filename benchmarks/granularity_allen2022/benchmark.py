from brainscore_granularity.brains.benchmark import RSABenchmark
from brainscore_granularity.brains.targets import from_responses
from brainscore_granularity.datasets.sources import Source

VISUAL_DEGREES = 8.4
RELIABLE = ("nc_testset", 30)  # percent of a voxel's variance that can be explained
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
IN_BRAINSCORE = ("V1", "V2", "V4", "IT")
BIBTEX = """@article{allen2022massive,
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
    local = f"Allen2022_fmri_local.{region}.test"
    licence = "NSD terms and conditions"
    if region in IN_BRAINSCORE:
        file = "assy_Allen2022_fMRI_test_Assembly.nc"
        source = Source("Allen2022_fmri_test", file, local, region, licence)
        summary = "103 images (515 from a local build), 8 subjects"
    else:
        source = Source(local=local, licence=licence)
        summary = "515 images, 8 subjects"
    return RSABenchmark(
        identifier=f"Allen2022_fmri.{region}-rsa",
        version=1,
        region=RECORDED[region],
        load=lambda: from_responses(source.load(), keep=RELIABLE),
        visual_degrees=VISUAL_DEGREES,
        bibtex=BIBTEX,
        partial=True,
        status=source.status,
        summary=summary,
    )
