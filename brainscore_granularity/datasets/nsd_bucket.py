"""Which files of the Natural Scenes Dataset a preparation reads, found in the owner's bucket."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path, PurePosixPath
from urllib.parse import quote
from xml.etree import ElementTree

from brainscore_granularity.download import TIMEOUT_SECONDS, DataMissing

from .orders import Order, Remote
from .prepare.nsd import plan, synthetic
from .prepare.nsd.files import REGIONS, SESSIONS, Subject
from .prepare.registry import DATASETS

BUCKET = "https://natural-scenes-dataset.s3.amazonaws.com"
ACCEPT = "I have read and accept the NSD terms and conditions"
TERMS = "Terms: naturalscenesdataset.org, where the owners ask you to agree in a form; cite Allen et al. 2022."
MD5 = re.compile(r'^"?([0-9a-f]{32})"?$')  # the tag of a file that was not uploaded in parts
EVERYONE = tuple(range(1, len(SESSIONS) + 1))


def order(name: str, to: Path, subjects: Iterable[int] = (), regions: Iterable[str] = ()) -> Order:
    """The files that ``granularity data prepare nsd`` or ``nsd-synthetic`` reads; by default of all subjects."""
    numbers, regions = tuple(subjects) or EVERYONE, tuple(regions) or tuple(REGIONS)
    if unknown := [*(set(numbers) - set(EVERYONE)), *(set(regions) - set(REGIONS))]:
        raise ValueError(f"no subject or region {unknown[0]}; subjects: 1 to 8; regions: {', '.join(REGIONS)}")
    root = Path()
    needed = _nsd(root, numbers, regions) if name == "nsd" else _synthetic(root, numbers)
    listed = cache(lambda folder: listing(BUCKET, f"{folder}/"))
    files = []
    for alternatives in needed:
        there = [[listed(PurePosixPath(path).parent.as_posix()).get(path.as_posix()) for path in paths]
                 for paths in alternatives]  # fmt: skip
        found = next((each for each in there if all(each)), None)
        if found is None:
            raise DataMissing(f"{BUCKET} has no {alternatives[0][0]}; has the layout of the data changed? {TERMS}")
        files += found
    command = DATASETS[name].command.replace("DIR", str(to))
    return Order(DATASETS[name].title, to, TERMS, tuple(dict.fromkeys(files)), ACCEPT, then=f"next: `{command}`")


def _nsd(root: Path, numbers, regions) -> list[list[list[Path]]]:
    """For every needed file its alternatives, each one file or several."""
    needed = [[[root / "nsddata" / "experiments" / "nsd" / "nsd_expdesign.mat"]], [[plan.stimuli_file(root)]]]
    for subject in (Subject(root, number) for number in numbers):
        needed.append([[subject.ncsnr]])
        needed += [_map(subject, atlas) for atlas in sorted({REGIONS[region][0] for region in regions})]
        for session in range(1, SESSIONS[subject.number - 1] + 1):
            needed.append([[path] for path in subject.session(session)])
    return needed


def _synthetic(root: Path, numbers) -> list[list[list[Path]]]:
    needed = [[[synthetic.design_file(root)]], [[synthetic.stimuli_file(root)]]]
    for subject in (Subject(root, number) for number in numbers):
        needed += [_map(subject, "streams"), [[path] for path in synthetic.betas(subject)]]
    return needed


def _map(subject: Subject, atlas: str) -> list[list[Path]]:
    both = subject.roi_path(atlas)
    return [[both], [both.with_name(f"{side}.{both.name}") for side in ("lh", "rh")]]


def listing(bucket: str, prefix: str) -> dict[str, Remote]:
    """{key: file} of all files below a prefix of a public S3 bucket, but not below folders in it."""
    import requests

    found, token = {}, None
    while True:
        asked = {"list-type": "2", "prefix": prefix, "delimiter": "/"} | (
            {"continuation-token": token} if token else {}
        )
        try:
            response = requests.get(f"{bucket}/", params=asked, timeout=TIMEOUT_SECONDS)
            response.raise_for_status()
            page = ElementTree.fromstring(response.content)
        except (requests.RequestException, ElementTree.ParseError) as error:
            raise DataMissing(f"cannot list {bucket}/{prefix} ({error}). {TERMS}") from error
        for file in page.iterfind("{*}Contents"):
            key, size, tag = (file.findtext(f"{{*}}{name}", "") for name in ("Key", "Size", "ETag"))
            md5 = MD5.match(tag)
            found[key] = Remote(key, f"{bucket}/{quote(key)}", int(size), ("md5", md5[1]) if md5 else None)
        token = page.findtext("{*}NextContinuationToken")
        if page.findtext("{*}IsTruncated") != "true" or not token:
            return found
