from pathlib import Path

from brainscore_granularity.brains.model import brain_model

BIBTEX = """@article{mehta2026coarse,
  title = {An extremely coarse feedback signal is sufficient for learning human-aligned visual representations},
  author = {Mehta, Yash and Bonner, Michael F.},
  journal = {arXiv preprint arXiv:2605.05556},
  year = {2026},
  url = {https://arxiv.org/abs/2605.05556}
}"""


def get_model(identifier):
    return brain_model(identifier, plugin=Path(__file__).parent)


def get_bibtex(identifier):
    return BIBTEX
