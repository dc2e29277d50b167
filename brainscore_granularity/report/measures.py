"""What a benchmark measures: behaviour, spiking, fMRI or MEG; for the embedded world, which simulated brain."""

from __future__ import annotations

import re
from dataclasses import dataclass

SCALES = ("behaviour", "spiking", "fMRI", "MEG")
OTHER = "other"
# benchmarks of all three scales on the 92 images of Kriegeskorte et al. (2008), and the authors of their data
ONE_IMAGE_SET = {
    "spiking": "Kriegeskorte2008.mIT-rsa",
    "fMRI": "Kriegeskorte2008.hIT-rsa",
    "behaviour": "Kriegeskorte2008.judgment-rsa",
}
# benchmarks of further scales on the same objects in other pictures (on white; features z-scored)
SAME_OBJECTS = {"MEG": "Cichy2014_meg.late-rsa"}
SUBJECTS = {"spiking": "macaque IT", "fMRI": "human IT", "behaviour": "human judgments", "MEG": "human, late window"}
_FMRI = re.compile(r"fmri|^Bracci2019|^Kriegeskorte2008\.hIT", re.IGNORECASE)
_MEG = re.compile(r"_meg\.")
_SPIKING = re.compile(
    r"^(Kriegeskorte2008\.mIT|MajajHong2015|FreemanZiemba2013|Papale2025|Li2026|Sanghavi|Rajalingham2020|Cadena2017"
    r"|Cowley2023|Cowley2026|Kar2019|Marques2020|Igustibagus2024-ridge)"
)
_PERFORMANCE = re.compile(r"top1|Engineering")  # task performance, not compared with any subject
_BEHAVIOUR = re.compile(
    r"^(Kriegeskorte2008\.judgment|Hebart2023[.-]|Rajalingham2018|Baker2022|BMD2024|Ferguson2024|Geirhos2021|Kato2026"
    r"|Lonnqvist2024|Malania2007|Maniquet2024|Scialom2024|tong\.Coggan2024_behavior)"
)
_WORLD = re.compile(r"^World(?:_(?P<brain>[a-z]+))?\.(?P<what>.+)$")
_WORLD_PANELS = {"IT-rsa": "IT", "triplet": "behaviour", "V1-rsa": "V1"}


@dataclass(frozen=True)
class Measure:
    """Panel, line and colour of a benchmark in the figures; line None: one line per label source."""

    panel: str
    line: str | None
    colour: str


def scale(benchmark: str) -> str:
    """Measurement scale of a measured benchmark, or "other" where it is none of these.

    >>> scale("Allen2022_fmri.V4-rsa"), scale("MajajHong2015.IT-pls"), scale("Rajalingham2018-i2n")
    ('fMRI', 'spiking', 'behaviour')
    >>> scale("Cichy2014_fmri.IT-rsa"), scale("Cichy2014_meg.late-rsa"), scale("ImageNet-top1")
    ('fMRI', 'MEG', 'other')
    """
    for name, pattern in (("fMRI", _FMRI), ("MEG", _MEG), ("spiking", _SPIKING)):
        if pattern.search(benchmark):
            return name
    return "behaviour" if _BEHAVIOUR.search(benchmark) and not _PERFORMANCE.search(benchmark) else OTHER


def measure(benchmark: str) -> Measure:
    """Panel, line and colour of a benchmark in the figures.

    >>> measure("World_fine.IT-rsa")
    Measure(panel='IT', line='fine brain', colour='fine')
    """
    if match := _WORLD.match(benchmark):
        brain = match["brain"] or "coarse"
        panel = _WORLD_PANELS.get(match["what"], match["what"])
        if panel == "V1":
            return Measure(panel, "Gabor energy", "V1")
        return Measure(panel, f"{brain} brain", brain if brain in ("coarse", "fine", "null") else OTHER)
    found = scale(benchmark)
    return Measure(found, None, found)


def order(panels) -> list[str]:
    """Names of the panels in the order in which they are shown."""
    ranks = ("IT", *SCALES, "V1")
    return sorted(dict.fromkeys(panels), key=lambda name: ranks.index(name) if name in ranks else len(ranks))
