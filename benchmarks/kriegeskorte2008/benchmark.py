from brainscore_vision import load_dataset

from brainscore_granularity.brains.benchmark import RSABenchmark
from brainscore_granularity.brains.targets import from_rdms
from brainscore_granularity.datasets.kriegeskorte2008 import FILES
from brainscore_granularity.datasets.references import bibtex

REFERENCES = bibtex("kriegeskorte2008matching", "kiani2007object", "mur2013human", "nili2014toolbox")
SUBJECTS = {"hIT": "4 people", "mIT": "one population of 674 neurons", "judgment": "16 people"}


def rsa_benchmark(data_identifier):
    """Judgments are compared with the layer that a model commits to IT too, so that all three meet one layer.

    The images fill the model's field of view, as in the values known for them; people saw them at 2.9 degrees, which
    would leave a model of 8 degrees a square of 63 pixels.
    """
    return RSABenchmark(
        identifier=f"{data_identifier}-rsa",
        version=1,
        region="IT",
        load=lambda: from_rdms(load_dataset(data_identifier)),
        visual_degrees=None,
        bibtex=REFERENCES,
        status=FILES.state,
        summary=f"92 images, {SUBJECTS[data_identifier.partition('.')[2]]}",
        parent="behavior_vision" if data_identifier.endswith("judgment") else "IT",
    )
