"""A packed dataset: every image decoded once, resized, and kept as bytes in one memory-mapped file.

A pack is a folder: ``pixels.u8`` (the images one after another), ``names.json``, ``broken.tsv`` (images that
could not be read, and why) and ``pack.json``, written last, with a SHA-256 for every block of 256 images.
While a pack is being made, ``plan.json`` says what is packed, and ``blocks.jsonl`` which blocks are finished, so that
a killed run can be resumed. The finished files hold the same bytes, no matter how often it was killed.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from brainscore_granularity.paths import write_atomically

from .decode import decode, start_worker, work
from .packed import BLOCK, FORMAT, Packed, PackError, blocks, journal, load, sha256
from .sources import Source

__all__ = ["BLOCK", "PackError", "Packed", "blocks", "decode", "load", "pack"]

LOCK_SECONDS = 20  # a worker of a run that was killed may still be finishing its block


def pack(
    source: Source,
    folder: str | os.PathLike,
    size: int,
    *,
    resize: int | None = None,
    broken: str = "fatal",
    workers: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Packed:
    """Decode all images of a source into a folder, on all cores; finished blocks of an earlier run are kept.

    Parameters
    ----------
    size : side of the packed images. The shorter side becomes ``resize`` (default: ``size``) pixels, bilinear
        with antialiasing, then the centre is cut out: torchvision's ``Resize`` and ``CenterCrop``.
    broken : what to do with a file that is not an image or is cut off: ``"fatal"`` stops at the first block
        that has one, ``"skip"`` leaves them out. Either way ``broken.tsv`` lists them. A disk or network that
        fails is always an error.
    workers : processes; by default one for each core that this process may use.
    on_progress : called after each block with the images done and the images in all.

    Packing again into the same folder checks every block and makes only the damaged ones again.
    """
    resize = resize or size
    if broken not in ("fatal", "skip"):
        raise ValueError(f"broken must be 'fatal' or 'skip', got {broken!r}")
    if not 1 <= size <= resize:
        raise ValueError(f"expected 1 <= size <= resize, got size {size} and resize {resize}")
    folder = Path(folder)
    plan = {"format": FORMAT, "source": source.fingerprint, "size": size, "resize": resize, "block": BLOCK}
    with _lock(folder):
        rows, finished, failures = _resume(source, folder, plan)
        if failures and broken == "fatal":
            raise PackError(
                f"the pack in {folder} leaves out {len(failures)} images that cannot be read (see broken.tsv); pass "
                "broken='skip' to accept that, or fix them and pack into another folder"
            )
        done = _decode(source, folder, plan, rows, finished, failures, broken == "fatal", workers, on_progress)
        _list_broken(folder, source, failures)
        good = np.array([row for row in rows if row not in failures], np.int64)
        empty = set(range(len(source.classes))) - set(source.labels[good].tolist())
        if empty:
            names = ", ".join(source.classes[i] for i in sorted(empty)[:3])
            raise PackError(
                f"{len(empty)} classes have no image that can be read: {names}; see {folder / 'broken.tsv'}"
            )
        if len(good) < len(rows):
            # From here until pack.json is written the journal does not describe the pixels; a run killed in
            # between finds checksums that do not match, and decodes those blocks again.
            done = _close_gaps(folder / "pixels.u8", size, np.flatnonzero(np.isin(rows, good)))
        names = json.dumps([source.names[i] for i in good], indent=0)
        write_atomically(folder / "names.json", names)
        _sync(folder / "pixels.u8")
        info = {**plan, "images": len(good), "broken": len(failures), "classes": source.classes, "blocks": done}
        info["names"] = sha256(names.encode())
        write_atomically(folder / "pack.json", json.dumps(info, indent=0) + "\n")
        for path in (folder / "plan.json", folder / "blocks.jsonl", *folder.glob(".*.tmp")):
            path.unlink(missing_ok=True)
    return load(folder, verify=False)


# ------------------------------------------------------------------------------------------- how it is made


def _decode(source, folder, plan, rows, finished, failures, fatal, workers, on_progress) -> list[str]:
    """Fill ``pixels.u8``; adds to ``failures`` (row -> reason) and returns the checksum of every block."""
    size, n_blocks = plan["size"], -(-len(rows) // BLOCK)
    with open(folder / "pixels.u8", "ab") as pixels:
        needed = len(rows) * size * size * 3 - os.fstat(pixels.fileno()).st_blocks * 512
        if needed > (free := shutil.disk_usage(folder).free):
            raise PackError(f"{folder} needs {needed / 1e9:.2f} GB more, its disk has {free / 1e9:.2f} GB free")
        pixels.truncate(len(rows) * size * size * 3)
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Small images spend more time in Python than in the decoder, so threads would wait for each other.
    pool = ProcessPoolExecutor(
        max(1, min(workers or available, n_blocks)),
        # As in torch's DataLoader: a forked worker inherits the list of images.
        mp_context=get_context("fork" if sys.platform == "linux" else "spawn"),
        initializer=start_worker,
        initargs=(os.getpid(), source, rows, str(folder / "pixels.u8"), plan),
    )
    checksums, done = [""] * n_blocks, 0
    lines = (json.dumps([b, *noted]) + "\n" for b, noted in finished.items())
    write_atomically(folder / "blocks.jsonl", "".join(lines))  # without the incomplete last line of a killed run
    with open(folder / "blocks.jsonl", "a") as log, pool:
        jobs = [pool.submit(work, b, *finished.get(b, (None, None))) for b in range(n_blocks)]
        try:
            for job in as_completed(jobs):
                b, checksums[b], bad = job.result()
                if (checksums[b], bad) != finished.get(b):
                    log.write(json.dumps([b, checksums[b], bad]) + "\n")
                    log.flush()
                failures.update({int(row): reason for row, reason in bad.items()})
                if bad and fatal:
                    row, reason = next(iter(bad.items()))
                    _list_broken(folder, source, failures)
                    raise PackError(
                        f"cannot read {source.names[int(row)]} ({reason}); all found so far are in "
                        f"{folder / 'broken.tsv'}. Fix the files, or pack again with broken='skip' to leave such "
                        "images out: finished blocks are kept"
                    )
                done += min(BLOCK, len(rows) - b * BLOCK)
                if on_progress:
                    on_progress(done, len(rows))
        finally:
            pool.shutdown(cancel_futures=True)
    return checksums


# ------------------------------------------------------------------------------------- what is there already


def _resume(source: Source, folder: Path, plan: dict) -> tuple[np.ndarray, dict, dict]:
    """Rows of the source to pack, finished blocks, and reasons by broken row, from an unfinished pack."""
    everything = np.arange(len(source))
    finished = folder / "pack.json"
    unfinished = folder / "plan.json"
    for path in (finished, unfinished):
        if path.exists():
            try:
                there = json.loads(path.read_text())
                different = [f"{key} {there[key]}, not {plan[key]}" for key in plan if there[key] != plan[key]]
            except (ValueError, KeyError, TypeError) as error:
                raise PackError(f"{path} is damaged ({error!r}); delete {folder} and pack again") from error
            if different:
                raise PackError(
                    f"{folder} holds a pack of something else ({'; '.join(different)}); give another folder, or "
                    "delete this one"
                )
    if finished.exists():
        checksums = {b: (checksum, {}) for b, checksum in enumerate(there["blocks"])}
        names = (folder / "names.json").read_bytes() if (folder / "names.json").exists() else b""
        if sha256(names) == there["names"]:
            kept = np.flatnonzero(np.isin(source.names, json.loads(names)))
            reasons = _reasons(folder)
            left_out = np.setdiff1d(everything, kept).tolist()
            return kept, checksums, {row: reasons.get(source.names[row], "broken") for row in left_out}
        return everything, {} if there["broken"] else checksums, {}
    if unfinished.exists():
        return everything, journal(folder), {}
    if strangers := sorted(p.name for p in folder.iterdir() if p.name != "lock" and p.suffix != ".tmp"):
        raise PackError(f"{folder} is not empty ({', '.join(strangers[:3])}) and holds no pack; give another folder")
    write_atomically(unfinished, json.dumps(plan))
    return everything, {}, {}


def _list_broken(folder: Path, source: Source, failures: dict[int, str]) -> None:
    lines = (f"{source.names[row]}\t{failures[row]}\n" for row in sorted(failures))
    write_atomically(folder / "broken.tsv", "".join(lines))


def _reasons(folder: Path) -> dict[str, str]:
    path = folder / "broken.tsv"
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("\t", 1) for line in lines)


def _close_gaps(path: Path, size: int, keep: np.ndarray) -> list[str]:
    """Move the images numbered ``keep`` (ascending) to the front, cut the file, return the new checksums."""
    n, checksums = len(keep), []
    pixels = np.memmap(path, np.uint8, "r+").reshape(-1, size, size, 3)
    for start in range(0, n, BLOCK):
        block = pixels[keep[start : start + BLOCK]]
        pixels[start : start + len(block)] = block
        checksums.append(sha256(block))
    pixels.flush()
    del pixels
    os.truncate(path, n * size * size * 3)
    return checksums


def _sync(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Allow one packing run per folder. Forked workers hold the lock too, so it is free once the last writer ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as file:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise PackError(f"another process is packing into {folder}; wait for it, or end it") from None
                time.sleep(0.1)
            except OSError:  # a file system without locks
                break
        yield
