from pathlib import Path

from brainscore_granularity.brains.model import brain_model

BIBTEX = """@article{leutenegger2026untrained,
  title = {Untrained CNNs match backpropagation at V1},
  author = {Leutenegger, Nils},
  journal = {arXiv preprint arXiv:2604.16875},
  year = {2026},
  url = {https://arxiv.org/abs/2604.16875}
}"""


def get_model(identifier):
    return brain_model(identifier, plugin=Path(__file__).parent)


def get_bibtex(identifier):
    return BIBTEX
