"""Label tables on disk: columns ``image`` and ``label`` as CSV or Parquet, each with a JSON that says what they are.

The principal components that made the labels go into a safetensors file, so that other images can be labelled later.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import write_atomically

from .rule import PCA, power_of_two

SUFFIXES = (".csv", ".parquet")
PCA_TENSORS = ("mean", "components", "variances", "medians")


class LabelFileError(ValueError):
    """A label file does not fit the images or is damaged."""


@dataclass(frozen=True)
class LabelTable:
    """Labels of the images of a data set, in the order of the data set."""

    labels: np.ndarray  # (images,) int64, 0 to k - 1
    k: int
    info: dict  # what the file's JSON says; empty where there is none


def write(path: Path, names: Sequence[str], labels: np.ndarray, info: dict, every_class: bool = True) -> None:
    """Write a label table and, as ``<path>.json``, ``info`` with the number of images and classes and a hash.

    info : JSON-able; ``rule: "pca"`` makes a number of classes that is no power of two an error.
    every_class : a class without an image is an error; otherwise ``info["k"]`` says how many classes there are.
    """
    labels = np.asarray(labels)
    if labels.shape != (len(names),) or not np.issubdtype(labels.dtype, np.integer):
        raise LabelFileError(f"expected {len(names)} integer labels, got {labels.dtype} {labels.shape}")
    if repeated := _repeated(names):
        raise LabelFileError(f"{len(repeated)} images are named twice ({_first(repeated)})")
    k = _check_classes(labels, info, path, every_class)
    content = _encode(Path(path), names, labels)
    write_atomically(Path(path), content)
    record = {**info, "images": len(names), "k": k, "sha256": hashlib.sha256(content).hexdigest()}
    write_atomically(_sidecar(path), json.dumps(record, indent=1, sort_keys=True) + "\n")


def read(path: Path, names: Sequence[str], every_class: bool = True) -> LabelTable:
    """The labels of a data set's images, in the order of ``names``; the file must name exactly those images."""
    path = Path(path)
    content = path.read_bytes()
    info = _read_sidecar(path, content)
    rows = _decode(path, content)
    if repeated := _repeated([name for name, _ in rows]):
        raise LabelFileError(f"{path} names {len(repeated)} images twice ({_first(repeated)})")
    by_name = dict(rows)
    if missing := [name for name in names if name not in by_name]:
        raise LabelFileError(f"{path} has no label for {len(missing)} of {len(names)} images ({_first(missing)})")
    if len(by_name) > len(names):
        known = set(names)
        unknown = [name for name in by_name if name not in known]
        raise LabelFileError(f"{path} labels {len(unknown)} images that the data set lacks ({_first(unknown)})")
    labels = np.array([by_name[name] for name in names], np.int64)
    return LabelTable(labels, _check_classes(labels, info, path, every_class), info)


def write_pca(path: Path, pca: PCA, medians: np.ndarray, info: dict) -> None:
    """Write principal components and the places where they are cut, with ``info`` in the header."""
    import safetensors.numpy

    arrays = dict(zip(PCA_TENSORS, (pca.mean, pca.components, pca.variances, medians), strict=True))
    arrays = {name: np.ascontiguousarray(array, np.float64) for name, array in arrays.items()}
    write_atomically(Path(path), safetensors.numpy.save(arrays, metadata={"info": json.dumps(info)}))


def read_pca(path: Path) -> tuple[PCA, np.ndarray, dict]:
    """Read a file from `write_pca`: the components, the medians and ``info``."""
    import safetensors

    try:
        with safetensors.safe_open(path, "numpy") as file:
            mean, components, variances, medians = (file.get_tensor(name) for name in PCA_TENSORS)
            info = json.loads((file.metadata() or {}).get("info", "{}"))
    except safetensors.SafetensorError as error:
        raise LabelFileError(f"{path} is not a file of principal components ({error}); write it again") from error
    return PCA(mean, components, variances), medians, info


def class_sizes(labels: np.ndarray, k: int) -> dict[str, float]:
    """How evenly K classes are filled: smallest, median and largest class, and the entropy in bits (log2 K if even)."""
    counts = np.bincount(labels, minlength=k)
    shares = counts[counts > 0] / counts.sum()
    return {
        "classes": k,
        "images": int(counts.sum()),
        "smallest": int(counts.min()),
        "median": float(np.median(counts)),
        "largest": int(counts.max()),
        "entropy_bits": float(-(shares * np.log2(shares)).sum()) + 0.0,
    }


def _check_classes(labels, info, path, every_class):
    """The number of classes; checks that every class has an image if ``every_class``."""
    if not len(labels):
        raise LabelFileError(f"{path}: no images")
    if labels.min() < 0:
        raise LabelFileError(f"{path}: labels must be 0 or more, found {labels.min()}")
    k = int(info.get("k", labels.max() + 1))
    if labels.max() >= k:
        raise LabelFileError(f"{path}: labels of {k} classes must lie in 0..{k - 1}, found {labels.max()}")
    if every_class and (empty := np.setdiff1d(np.arange(k), labels)).size:
        raise LabelFileError(f"{path}: {empty.size} of {k} classes have no image (first: class {empty[0]})")
    if info.get("rule") == "pca":
        try:
            power_of_two(k)
        except ValueError as error:
            raise LabelFileError(f"{path}: labels cut along principal components; {error}") from error
    return k


def _encode(path, names, labels):
    if path.suffix == ".csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("image", "label"))
        writer.writerows(zip(names, labels.tolist(), strict=True))
        return text.getvalue().encode()
    arrow, parquet = _pyarrow(path)
    buffer = io.BytesIO()
    parquet.write_table(arrow.table({"image": list(names), "label": labels.astype(np.int64)}), buffer)
    return buffer.getvalue()


def _decode(path, content):
    """Image and label of every row."""
    if path.suffix == ".csv":
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig")))
        header = next(reader, [])
        if header != ["image", "label"]:
            raise LabelFileError(f"{path}: expected a first line `image,label`, got {','.join(header)!r}")
        rows = []
        for row in reader:
            try:
                name, label = row
                rows.append((name, int(label)))
            except ValueError as error:
                text = ",".join(row)
                raise LabelFileError(
                    f"{path}, line {reader.line_num}: expected `image,integer`, got {text!r}"
                ) from error
        return rows
    arrow, parquet = _pyarrow(path)
    try:
        table = parquet.read_table(io.BytesIO(content), columns=["image", "label"])
        return list(zip(table["image"].to_pylist(), map(int, table["label"].to_pylist()), strict=True))
    except (arrow.ArrowException, OSError, TypeError, ValueError) as error:
        raise LabelFileError(f"{path} is not a table with columns image and label: {error}") from error


def _pyarrow(path):
    if path.suffix not in SUFFIXES:
        raise LabelFileError(f"{path}: label tables end in {' or '.join(SUFFIXES)}")
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise LabelFileError(f"{path}: Parquet needs pyarrow (pip install pyarrow); .csv needs nothing") from error
    return pyarrow, pyarrow.parquet


def _sidecar(path):
    return Path(path).with_name(Path(path).name + ".json")


def _read_sidecar(path, content):
    try:
        info = json.loads(_sidecar(path).read_text())
    except FileNotFoundError:
        return {}  # a user's table has no JSON file
    except json.JSONDecodeError as error:
        raise LabelFileError(f"{_sidecar(path)} is damaged ({error}); write the labels again") from error
    if (found := hashlib.sha256(content).hexdigest()) != info.get("sha256"):
        raise LabelFileError(
            f"{path} is not the file that {_sidecar(path).name} describes: its SHA-256 is {found[:12]}... Write the "
            "labels again or, if the table was changed on purpose, delete the JSON."
        )
    return info


def _repeated(names):
    seen, repeated = set(), []
    for name in names:
        if name in seen:
            repeated.append(name)
        seen.add(name)
    return repeated


def _first(names):
    return f"first: {', '.join(names[:3])}"
