from brainscore_vision import load_dataset

from brainscore_granularity.brains.benchmark import RSABenchmark
from brainscore_granularity.brains.targets import from_rdms
from brainscore_granularity.datasets.kriegeskorte2008 import state

BIBTEX = """@article{kriegeskorte2008matching,
  title = {Matching categorical object representations in inferior temporal cortex of man and monkey},
  author = {Kriegeskorte, Nikolaus and Mur, Marieke and Ruff, Douglas A. and Kiani, Roozbeh and Bodurka, Jerzy and
    Esteky, Hossein and Tanaka, Keiji and Bandettini, Peter A.},
  journal = {Neuron},
  volume = {60},
  number = {6},
  pages = {1126--1141},
  year = {2008},
  url = {https://doi.org/10.1016/j.neuron.2008.10.043}
}
@article{kiani2007object,
  title = {Object category structure in response patterns of neuronal population in monkey inferior temporal cortex},
  author = {Kiani, Roozbeh and Esteky, Hossein and Mirpour, Koorosh and Tanaka, Keiji},
  journal = {Journal of Neurophysiology},
  year = {2007},
  url = {https://doi.org/10.1152/jn.00024.2007}
}
@article{mur2013human,
  title = {Human object-similarity judgments reflect and transcend the primate-{IT} object representation},
  author = {Mur, Marieke and Meys, Mirjam and Bodurka, Jerzy and Goebel, Rainer and Bandettini, Peter A. and
    Kriegeskorte, Nikolaus},
  journal = {Frontiers in Psychology},
  year = {2013},
  url = {https://doi.org/10.3389/fpsyg.2013.00128}
}
@article{nili2014toolbox,
  title = {A toolbox for representational similarity analysis},
  author = {Nili, Hamed and Wingfield, Cai and Walther, Alexander and Su, Li and Marslen-Wilson, William and
    Kriegeskorte, Nikolaus},
  journal = {PLoS Computational Biology},
  year = {2014},
  url = {https://doi.org/10.1371/journal.pcbi.1003553}
}"""


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
        bibtex=BIBTEX,
        status=state,
        summary=f"92 images, {SUBJECTS[data_identifier.partition('.')[2]]}",
        parent="behavior_vision" if data_identifier.endswith("judgment") else "IT",
    )
