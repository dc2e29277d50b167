from pathlib import Path

from brainscore_granularity.brains.model import brain_model

BIBTEX = """@inproceedings{gokce2025scaling,
  title = {Scaling Laws for Task-Optimized Models of the Primate Visual Ventral Stream},
  author = {Gokce, Abdulkadir and Schrimpf, Martin},
  booktitle = {International Conference on Machine Learning},
  year = {2025},
  url = {https://arxiv.org/abs/2411.05712}
}"""


def get_model(identifier):
    return brain_model(identifier, plugin=Path(__file__).parent)


def get_bibtex(identifier):
    return BIBTEX
