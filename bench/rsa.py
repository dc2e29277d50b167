"""RSA and statistics against what people run today: both sides in one run, on the same inputs.

    python -m bench.rsa             all rows
    python -m bench.rsa triplets    some rows, by the start of their names

Each row prints one line: what, against what, seconds of both, ratio, and the ratio that was asked for. Slow
sides are timed on a few repeats and scaled to the full number, which the line says. Compilation and imports
are outside the timed part; a first call in a new process adds them once.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time

import numpy as np
from scipy.stats import spearmanr

from brainscore_granularity import rsa, stats
from brainscore_granularity.rsa import triplets

IMAGES = 1000


def seconds(function, repeats: int = 1) -> float:
    """Best of ``repeats`` runs."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


def line(what: str, against: str, theirs: float, ours: float, asked: float, note: str = "") -> None:
    ratio = theirs / ours
    print(
        f"{what} | {against}: {theirs:.3g} s | ours: {ours:.3g} s | {ratio:.1f}x (asked {asked:g}x:"
        f" {'reached' if ratio >= asked else 'NOT reached'}){'; ' if note else ''}{note}",
        flush=True,
    )


def rdms(k: int, images: int = IMAGES, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(images, 30))
    return np.stack([rsa.rdm(x + rng.normal(size=x.shape)) for _ in range(k)])


def scipy_resample(a, b, count) -> float:
    keep = np.flatnonzero(count)
    i, j = np.triu_indices(len(keep), 1)
    i, j = keep[i], keep[j]
    return spearmanr(a[i, j], b[i, j])[0]


def bootstrap() -> None:
    a, b = rdms(2)
    stats.bootstrap(a, b, 16)
    counts = stats.resamples(IMAGES, 1000)
    some = 15
    expected = []
    theirs = seconds(lambda: expected.extend(scipy_resample(a, b, c) for c in counts[:some])) / some * 1000
    samples = stats.bootstrap(a, b, 1000)
    ours = seconds(lambda: stats.bootstrap(a, b, 1000), 3)
    difference = np.abs(samples[:some] - expected).max()
    line(
        "1,000 bootstrap scores, 1,000 stimuli, Spearman",
        f"scipy loop ({some} of 1,000 timed)",
        theirs,
        ours,
        50,
        f"largest difference {difference:.0e}",
    )


def grid() -> None:
    layers, subjects = rdms(14), rdms(8, seed=1)
    stats.bootstrap(layers[0], subjects[0], 16)
    single = seconds(lambda: stats.bootstrap(layers[0], subjects[0], 1000), 3)
    ours = seconds(lambda: stats.bootstrap(layers, subjects, 1000))
    line("14 layers x 8 subjects at once, 1,000 resamples", "112 single runs (1 timed)", 112 * single, ours, 3)


def rdm() -> None:
    x = np.random.default_rng(0).random((IMAGES, 186_624), dtype=np.float32)
    rsa.rdm(x[:, :30_000])
    result = []
    ours = seconds(lambda: result.append(rsa.rdm(x)), 3)
    theirs = seconds(lambda: result.append(1 - np.corrcoef(x)), 3)
    difference = np.abs(result[0] - result[-1]).max()
    line(
        "RDM, 1,000 x 186,624 float32",
        "numpy.corrcoef",
        theirs,
        ours,
        3,
        f"largest difference {difference:.0e}",
    )


PEAK = """
import re, numpy as np, torch
from brainscore_granularity import rsa
from brainscore_granularity.rsa import gram

def peak():  # MB; ru_maxrss would count the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

gram.onednn()
x = np.random.default_rng(0).random((1000, 186_624), dtype=np.float32)
before = peak()
rsa.rdm(x)
print(peak() - before)
"""


def child(code: str) -> list[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def memory() -> None:
    extra = float(child(PEAK)[0])
    print(
        f"peak memory of that RDM | input + {extra:.0f} MB | asked: at most input + 300 MB:"
        f" {'reached' if extra <= 300 else 'NOT reached'}",
        flush=True,
    )


def permutation() -> None:
    a, b = rdms(2, seed=2)
    stats.permutation_test(a, b, 20)
    rng, some = np.random.default_rng(0), 15
    i, j = np.triu_indices(IMAGES, 1)
    x = a[i, j]

    def loop():
        for _ in range(some):
            p = rng.permutation(IMAGES)
            spearmanr(x, b[p[i], p[j]])

    theirs = seconds(loop) / some * 10_000
    ours = seconds(lambda: stats.permutation_test(a, b))
    line("10,000 label permutations, 1,000 stimuli", f"scipy loop ({some} of 10,000 timed)", theirs, ours, 50)


def loop_over_triplets(similarity, trials) -> list:
    """Brain-Score's steps, one triplet at a time, on bare arrays; its own look-ups in xarray take longer still."""
    row = {(side, image): image for side in ("left", "right") for image in range(len(similarity))}
    choices = []
    for triplet in trials:
        i, j, k = triplet
        pairs = ((i, j), (i, k), (j, k))
        sims = [similarity[row["left", p], row["right", q]].item() for p, q in pairs]
        choices.append(triplet[2 - np.argmax(sims)])
    return choices


def odd_one_out() -> None:
    rng = np.random.default_rng(0)
    similarity = triplets.similarity(rng.normal(size=(1854, 66)))
    trials = rng.integers(0, 1854, size=(480_000, 3))
    distinct = (trials[:, 0] != trials[:, 1]) & (trials[:, 0] != trials[:, 2]) & (trials[:, 1] != trials[:, 2])
    trials = trials[distinct][:453_642]
    choices = []
    theirs = seconds(lambda: choices.extend(loop_over_triplets(similarity, trials)))
    ours = seconds(lambda: triplets.accuracy(similarity, trials, 2), 5)
    same = triplets.accuracy(similarity, trials, 2) == np.mean(np.array(choices) == trials[:, 2])
    line(
        "453,642 triplets",
        "Brain-Score's loop",
        theirs,
        ours,
        50,
        "same accuracy" if same else "accuracy DIFFERS",
    )


def rsatoolbox() -> None:
    import contextlib
    import io
    import warnings

    from rsatoolbox import data, inference, model
    from rsatoolbox import rdm as toolbox

    images, n = 300, 100
    rng = np.random.default_rng(0)
    x = rng.normal(size=(images, 2000))
    y = x[:, :500] + rng.normal(size=(images, 500))

    def theirs():
        sets = (data.Dataset(z, obs_descriptors={"index": np.arange(images)}) for z in (x, y))
        a, b = (toolbox.calc_rdm(z, method="correlation", descriptor="index") for z in sets)
        toolbox.compare(a, b, method="spearman")
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):  # its progress bar
            warnings.simplefilter("ignore")
            inference.eval_bootstrap_pattern(model.ModelFixed("a", a), b, method="spearman", N=n, boot_noise_ceil=False)

    def ours():
        a, b = rsa.rdm(x), rsa.rdm(y)
        rsa.compare(a, b)
        stats.bootstrap(a, b, n, fraction=None)

    ours()
    line(
        f"RDMs + comparison + {n} bootstraps, {images} stimuli",
        "rsatoolbox 0.2.0",
        seconds(theirs),
        seconds(ours, 3),
        10,
    )


NETWORK = """
import re, time, torch, torchvision
from brainscore_granularity.rsa.spool import layer_rdms
torch.manual_seed(0)
model = torchvision.models.alexnet(weights=None).eval()
start = time.perf_counter()
rdms = layer_rdms(model, (torch.randn(50, 3, 224, 224) for _ in range(20)))
print(len(rdms), time.perf_counter() - start)
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 2**20)
"""


def network() -> None:
    layers, wall, peak = child(NETWORK)
    print(
        f"exact RDMs of all {layers} layers of AlexNet, 1,000 images, one pass | {float(wall):.0f} s | peak"
        f" {float(peak):.2f} GB, everything counted | asked: at most 4 GB:"
        f" {'reached' if float(peak) <= 4 else 'NOT reached'}",
        flush=True,
    )


ROWS = {
    "bootstrap": bootstrap,
    "grid": grid,
    "rdm": rdm,
    "memory": memory,
    "permutation": permutation,
    "triplets": odd_one_out,
    "rsatoolbox": rsatoolbox,
    "network": network,
}


def hardware() -> str:
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            name = next((row.split(":")[1].strip() for row in file if row.startswith("model name")), name)
    return f"hardware: {name}, {os.cpu_count()} cores; numpy {np.__version__}, Python {platform.python_version()}"


def main(rows: dict = ROWS) -> None:
    """Measure the rows whose names start as the arguments do; by default all."""
    asked = sys.argv[1:]
    unknown = [a for a in asked if not any(row.startswith(a) for row in rows)]
    if unknown:
        sys.exit(f"unknown rows {unknown}; expected some of {', '.join(rows)}")
    print(hardware())
    for row, function in rows.items():
        if not asked or any(row.startswith(a) for a in asked):
            function()


if __name__ == "__main__":
    main()
