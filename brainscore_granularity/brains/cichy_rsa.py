"""RSA on fMRI and MEG of Cichy et al. (2014, 2016): what the benchmark plugin and the selections of layers share."""

from __future__ import annotations

from brainscore_granularity.datasets.cichy import N_IMAGES, N_SUBJECTS, state
from brainscore_granularity.datasets.references import bibtex

from .benchmark import RSABenchmark
from .targets import from_rdms

REFERENCE = {"Cichy2014": "cichy2014resolving", "Cichy2016": "cichy2016similarity"}
# target -> what a model records for it
REGIONS = {"fmri.EVC": "V1", "meg.early": "V1", "fmri.IT": "IT", "meg.late": "IT"}


def rsa_on(data: str, target: str, suffix: str = "rsa") -> RSABenchmark:
    """RSA on one region or window of one image set, models' features z-scored over the images.

    Without z-scoring, what all images share (white, around the 92 objects) is a part of every correlation, and the
    first layers of trained networks correlate negatively with early visual cortex; see docs/statistics.md. Scores tell
    both in ``scalings``.

    The images fill the model's field of view, as in the values known for them; the files do not say at which angle
    people saw them.

    Parameters
    ----------
    data : "Cichy2014" (92 images) or "Cichy2016" (118).
    target : "fmri.EVC", "fmri.IT", "meg.early" or "meg.late".
    suffix : of the identifier.
    """

    def load():
        from brainscore_vision import load_dataset

        return from_rdms(load_dataset(f"{data}_{target}"))

    return RSABenchmark(
        identifier=f"{data}_{target}-{suffix}",
        version=1,
        region=REGIONS[target],
        load=load,
        visual_degrees=None,
        bibtex=bibtex(REFERENCE[data], "cichy2019algonauts", "nili2014toolbox"),
        status=lambda: state(data, target),
        summary=f"{N_IMAGES[data]} images, {N_SUBJECTS} people",
        scaling="z-score",
    )
