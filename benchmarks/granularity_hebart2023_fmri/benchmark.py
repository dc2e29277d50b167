from brainscore_granularity.brains.benchmark import RSABenchmark
from brainscore_granularity.brains.targets import from_responses
from brainscore_granularity.datasets.sources import Source

VISUAL_DEGREES = 10
RELIABLE = ("nc_testset", 30)
RECORDED = {"V1": "V1", "V2": "V2", "V4": "V4", "LOC": "IT", "IT": "IT"}
BIBTEX = """@article{hebart2023things,
  title = {{THINGS}-data, a multimodal collection of large-scale datasets for investigating object representations in
    human brain and behavior},
  author = {Hebart, Martin N. and Contier, Oliver and Teichmann, Lina and Rockter, Adam H. and Zheng, Charles Y. and
    Kidder, Alexis and Corriveau, Anna and Vaziri-Pashkam, Maryam and Baker, Chris I.},
  journal = {eLife},
  year = {2023},
  url = {https://doi.org/10.7554/eLife.82580}
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
    local = f"Hebart2023_fmri_local.{region}.test"
    licence = "licence stated with THINGS-data"
    if region == "LOC":
        source = Source(local=local, licence=licence)
    else:
        source = Source("Hebart2023_fmri_test", "assy_THINGS_fMRI_test_Assembly.nc", local, region, licence)
    return RSABenchmark(
        identifier=f"Hebart2023_fmri.{region}-rsa",
        version=1,
        region=RECORDED[region],
        load=lambda: from_responses(source.load(), keep=RELIABLE),
        visual_degrees=VISUAL_DEGREES,
        bibtex=BIBTEX,
        partial=True,
        status=source.status,
        summary="100 images, 3 subjects",
    )
