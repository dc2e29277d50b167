"""The measured data sets of responses: where each is kept, the visual size of its images, which neuroids are used."""

from __future__ import annotations

from dataclasses import dataclass

from .sources import Source


@dataclass(frozen=True)
class Measured:
    """Responses of humans or monkeys to images, by region and part: test, train or one subject's train images.

    reference : key of its entry in `references`.
    visual_degrees : width of the images as the subjects saw them.
    reliable : (coordinate, threshold); only neuroids above the threshold are used.
    licence : licence of the data, named in the error if they are missing.
    brainscore, file : identifier of Brain-Score's data set, and the file in which it is kept, with ``{split}``.
    regions : the regions in Brain-Score's data set.
    local : identifier of the local build, with ``{region}`` and ``{part}``.
    subject : coordinate that names a neuroid's subject.
    whole : value of the coordinate of ``reliable`` in a neuroid without noise, where that is the share of its variance
        that can be explained; None: it is something else.
    pictures : the image collection that stimulus ids refer to, shared by several data sets; None: the ids are used in
        this data set only.
    """

    reference: str
    visual_degrees: float
    reliable: tuple[str, float]
    licence: str
    brainscore: str | None = None
    file: str | None = None
    regions: tuple[str, ...] = ()
    local: str | None = None
    subject: str = "subject"
    whole: float | None = None
    pictures: str | None = None

    def source(self, region: str, part: str = "test") -> Source:
        """Where the responses of a region are. Only local builds have parts for single subjects.

        >>> TVSD.source("V4").file, NSD.source("V1", "train.subj01").brainscore, NSD.source("FFA").brainscore
        ('assy_THINGS_TVSD_test_Assembly.nc', 'Allen2022_fmri_train', None)
        """
        local = self.local and self.local.format(region=region, part=part)
        if region not in self.regions:
            return Source(local=local, licence=self.licence)
        split = part.partition(".")[0]
        return Source(self.brainscore.format(split=split), self.file.format(split=split), local, region, self.licence)


NSD = Measured(
    reference="allen2022massive",
    visual_degrees=8.4,
    reliable=("nc_testset", 30),  # percent of a voxel's variance that can be explained
    whole=100,
    licence="NSD terms and conditions",
    brainscore="Allen2022_fmri_{split}",
    file="assy_Allen2022_fMRI_{split}_Assembly.nc",
    regions=("V1", "V2", "V4", "IT"),
    local="Allen2022_fmri_local.{region}.{part}",
    pictures="nsd",
)
NSD_SYNTHETIC = Measured(
    reference="gifford2025synthetic",
    visual_degrees=8.4,
    reliable=("nc_testset", 30),
    whole=100,
    licence="NSD terms and conditions",
    local="Allen2022_fmri_synthetic_local.{region}.{part}",
)
THINGS_FMRI = Measured(
    reference="hebart2023things",
    visual_degrees=10,
    reliable=("nc_testset", 30),
    whole=100,
    licence="licence stated with THINGS-data",
    brainscore="Hebart2023_fmri_{split}",
    file="assy_THINGS_fMRI_{split}_Assembly.nc",
    regions=("V1", "V2", "V4", "IT"),
    local="Hebart2023_fmri_local.{region}.{part}",
    pictures="things",
)
TVSD = Measured(
    reference="papale2025extensive",
    visual_degrees=18,  # 17.3 for one monkey, 18.6 for the other
    reliable=("reliability", 0.3),
    licence="licence stated with the TVSD",
    brainscore="Papale2025_{split}",
    file="assy_THINGS_TVSD_{split}_Assembly.nc",
    regions=("V1", "V4", "IT"),
    local="Papale2025_local.{region}.{part}",
    pictures="things",
)
TRIPLE_N = Measured(
    reference="li2026triplen",
    visual_degrees=11,
    reliable=("reliability_window", 0.4),  # reliability of the response in the time window that is scored
    licence="licence stated with the Triple-N dataset",
    brainscore="Li2026",
    file="assy_Li2026_Assembly.nc",
    regions=("V1", "V2", "V4", "IT"),
    subject="animal",
    pictures="nsd",
)
LAION_FMRI = Measured(
    reference="zerbe2026laion",
    visual_degrees=9.2,
    reliable=("nc_12rep", 30),
    licence="CC0, its images under an agreement of their own",  # where they are: `laion_fmri`
    regions=("V1", "V2", "V4", "IT"),
)
