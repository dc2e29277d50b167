"""The rows of the public table that each published fit used (Gokce & Schrimpf 2025, arXiv 2411.05712).

The filters follow the study's configuration files (github.com/epflneuroailab/scaling-primate-vvs, MIT). The scores of a
model are averaged over the regions of a fit; rows are in the order of the model ids, as for the published resamples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .table import Points, average, points, require

if TYPE_CHECKING:
    import pandas

NEURAL = ("V1", "V2", "V4", "IT")
ALL = (*NEURAL, "Behavioral")
REGIONS = {name.lower(): (name,) for name in NEURAL} | {"behavior": ("Behavioral",), "neuro": NEURAL, "avg": ALL}
FAMILIES = {"resnet": "ResNet", "efficientnet": "EfficientNet", "convnext": "ConvNeXt", "vit": "ViT"}
GROUPS = {"group1": ("ResNet", "EfficientNet", "CORnet-S", "AlexNet"), "group2": ("ConvNeXt", "ViT")}
DATASETS = ("imagenet", "ecoset", "imagenet21kP", "inaturalist", "places365", "webvisionP", "infimnist")
FLEXIBLE = {"ResNetFlex": "ResNet", "ViTFlex": "ViT", "ConvNeXtFlex": "ConvNeXt"}
DATA_HUNGRY = ("ConvNeXt", "ViT")
# Data sets of the pretrained models. EfficientViT-B has no data set in the table, so none of its rows is used.
PRETRAINED = (
    "ConvNeXt", "DaVit", "EfficientNet", "EfficientViT-B", "FastViT", "LeViT", "MaxxViT", "MobileViT", "ResNet", "ViT",
)  # fmt: skip
FLAGS = ("is_pretrained", "is_random", "is_ssl", "is_adv", "is_ablation")
KEYS = [
    "model_id", "arch", "dataset", "flops", "n_params", "n_samples", "n_samples_seen", "total_flops", "arch_family",
    "samples_per_class",
]  # fmt: skip
SCALES = {"total_flops": 1e13, "n_params": 1e5, "n_samples_seen": 1e4}


class Published(NamedTuple):
    """How a fit was made."""

    law: str
    x: tuple[str, ...]
    regions: tuple[str, ...]
    datasets: tuple[str, ...] = ("imagenet", "ecoset")
    families: tuple[str, ...] = ()  # empty: all
    flag: str | None = None  # use only models with this flag, and no other flag
    enough_data: bool = False  # use ConvNeXt and ViT only with 300 images per class, or all
    full_data: bool = False


def _fits() -> dict[str, Published]:
    flops, fits = ("total_flops",), {}
    for name in ("behavior", "neuro"):
        fits[f"compute_{name}"] = Published("power", flops, REGIONS[name])
    fits["compute_chinchilla"] = Published("joint", ("n_params", "n_samples_seen"), ALL, enough_data=True)
    for family, name in FAMILIES.items():
        law = "late" if name in DATA_HUNGRY else "power"
        for region in ("avg", "behavior", "neuro"):
            fits[f"model_{family}_{region}"] = Published(law, flops, REGIONS[region], families=(name,))
    for region in ("avg", "behavior", "it", "v1", "v2", "v4"):
        for group, law in (("group1", "power"), ("group2", "late")):
            fits[f"region_{region}_{group}"] = Published(law, flops, REGIONS[region], families=GROUPS[group])
    fits["parameter_scaling"] = Published("power", ("n_params",), ALL, full_data=True)
    fits["parameter_pretrained_scaling"] = Published(
        "power", ("n_params",), ALL, datasets=(), families=PRETRAINED, flag="is_pretrained"
    )
    for dataset in DATASETS:
        fits[f"sample_{dataset}_scaling"] = Published("power", ("n_samples_seen",), ALL, (dataset,), enough_data=True)
    for region in ("avg", "behavior", "it", "neuro", "v1", "v2", "v4"):
        fits[f"simclr_{region}"] = Published("power", flops, REGIONS[region], flag="is_ssl")
    return fits


FITS = _fits()


def rows(table: pandas.DataFrame, how: Published) -> pandas.DataFrame:
    """The rows of a fit, one per trained model."""
    require(table, [*KEYS, *FLAGS, "region", "score", "ssl_method"])
    table = table.assign(arch_family=table["arch_family"].replace(FLEXIBLE))
    keep = table["region"].isin(how.regions)
    for flag in FLAGS:
        keep &= table[flag] == (flag == how.flag)
    if how.flag == "is_ssl":
        keep &= table["ssl_method"] == "simclr"
    if how.datasets:
        keep &= table["dataset"].isin(how.datasets)
    if how.families:
        keep &= table["arch_family"].isin(how.families)
    if how.full_data:
        keep &= table["samples_per_class"] == 0
    if how.enough_data:
        keep &= ~table["arch_family"].isin(DATA_HUNGRY) | table["samples_per_class"].isin([0, 300])
    return average(table[keep], KEYS)


def published_points(table: pandas.DataFrame, name: str) -> Points:
    """The points of one published fit, in its units."""
    if name not in FITS:
        raise ValueError(f"fit: expected one of {', '.join(FITS)}, got {name!r}")
    how = FITS[name]
    x = how.x if len(how.x) > 1 else how.x[0]
    return points(rows(table, how), x, scale=tuple(SCALES[c] for c in how.x))
