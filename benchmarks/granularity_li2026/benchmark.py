from brainscore_granularity.brains.benchmark import RSABenchmark
from brainscore_granularity.brains.targets import from_responses
from brainscore_granularity.datasets.sources import Source

VISUAL_DEGREES = 11
RELIABLE = ("reliability_window", 0.4)  # of the response in the window that is scored
BIBTEX = """@article{li2026triplen,
  title = {Triple-{N} dataset: large-scale {fMRI}-guided dense recordings of nonhuman primate neural responses to
    natural scenes},
  author = {Li, Yipeng and Liu, Xieyi and Li, Wanru and Yang, Jia and Gong, Baoqi and Jin, Wei and Gong, Zhengxin and
    Wang, Kesheng and Luo, Jingqiu and Zhao, Zishuo and Bao, Pinglei},
  journal = {Nature Neuroscience},
  year = {2026},
  url = {https://doi.org/10.1038/s41593-026-02322-z}
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
    source = Source("Li2026", "assy_Li2026_Assembly.nc", None, region, "licence stated with the Triple-N dataset")
    return RSABenchmark(
        identifier=f"Li2026.{region}-rsa",
        version=1,
        region=region,
        load=lambda: from_responses(source.load(), subject="animal", keep=RELIABLE),
        visual_degrees=VISUAL_DEGREES,
        bibtex=BIBTEX,
        status=source.status,
        summary="1,000 images, up to 5 monkeys",
    )
