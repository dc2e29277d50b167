"""Speed of the report: 200 models on 30 benchmarks, and how soon the page can be used in a browser.

The scores are made up, and written by the package's own writer; only times come out of this.

    python -m bench.report
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from brainscore_granularity.brains import catalogue
from brainscore_granularity.report.page import write_report
from brainscore_granularity.runner import results
from brainscore_granularity.runner.record import N_RESAMPLED, written


def write_scores(folder: Path, models: int = 200, benchmarks: int = 30, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    sources = ("own", "clip", "dino", "alexnet", "wordnet", "random", "permuted")
    names = [
        f"granularity_{family}_{source}_k{k}_s{s}"
        for family in ("imagenet", "tiny")
        for source in sources
        for k in (2, 4, 8, 16, 32, 64)
        for s in (1, 2, 3)
    ]
    ids = catalogue.ours("benchmarks")
    if len(names) < models or len(ids) < benchmarks:
        raise ValueError(f"at most {len(names)} models and {len(ids)} benchmarks")
    layers = [f"layer{i}" for i in range(8)]
    for model in names[:models]:
        for benchmark in ids[:benchmarks]:
            raw = float(rng.uniform(0, 0.5))
            record = {
                "model": model, "benchmark": benchmark, "status": "ok", "value": raw / 0.8, "raw": raw, "error": 0.02,
                "interval": [raw / 0.8 - 0.04, raw / 0.8 + 0.04], "ceiling": {"lower": 0.6, "upper": 0.8},
                "subject_scores": {f"subject{i}": raw + float(rng.normal(0, 0.03)) for i in range(8)},
                "layer": "layer5", "region": "IT", "simulated": benchmark.startswith("World"), "checkpoint": "0" * 64,
                "fingerprint": {"layers": dict.fromkeys(("V1", "V2", "V4", "IT"), "layer5"), "benchmark_version": 1},
                "layers": {layer: {"value": raw * i / 8, "raw": raw * i / 10} for i, layer in enumerate(layers)},
                "resampled": written(rng.normal(raw / 0.8, 0.02, N_RESAMPLED)),
                "versions": {"python": "3.11"}, "seconds": 1.0, "started": "2026-01-01T00:00:00",
            }  # fmt: skip
            results.write(folder, record)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_scores(folder)
        start = time.perf_counter()
        write_report(folder, folder / "report.html")
        seconds = time.perf_counter() - start
        size = (folder / "report.html").stat().st_size / 1e6
        print(f"200 models x 30 benchmarks: {seconds:.1f} s, {size:.1f} MB")
        chromium = shutil.which("chromium")
        if chromium is None:
            print("no chromium: the time in a browser is not measured")
            return
        from playwright.sync_api import sync_playwright

        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            times = []
            for _ in range(5):
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.goto((folder / "report.html").as_uri())
                times.append(page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive"))
                page.close()
            browser.close()
        print(f"interactive after {np.median(times):.0f} ms (median of 5, {min(times):.0f} to {max(times):.0f})")


if __name__ == "__main__":
    main()
