from pathlib import Path

from brainscore_granularity.brains.model import brain_model
from brainscore_granularity.datasets.references import bibtex


def get_model(identifier):
    return brain_model(identifier, plugin=Path(__file__).parent)


def get_bibtex(identifier):
    return bibtex("mehta2026coarse")
