from brainscore_granularity import concepts
from brainscore_granularity.benchmark import OddOneOutBenchmark, RSABenchmark
from brainscore_granularity.recording import BEHAVIOUR
from brainscore_granularity.sources import Source

VISUAL_DEGREES = 8
BEST_ACCURACY = 0.6767  # people who see a triplet again choose the same image this often
LICENCE = "terms of the THINGS image database"
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


def triplet():
    source = Source("Hebart2023", "assy_Hebart2023.nc", "Hebart2023_local.triplet", licence=LICENCE)
    return OddOneOutBenchmark(
        identifier="Hebart2023.triplet",
        version=2,
        load=source.load,
        ceiling=BEST_ACCURACY,
        visual_degrees=VISUAL_DEGREES,
        bibtex=BIBTEX,
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
        bibtex=BIBTEX,
        status=source.status,
        summary="1,484 concepts, one embedding of many people's choices",
        parent="behavior_vision",
    )
