"""Layer tables: what they cost beside the forward pass, which cannot be avoided.

    python -m bench.benchmarks

1,000 images of 425 pixels, 8 subjects, a network with 7 layers (alexnet_bn). The reference reads the same images, runs
the same forward pass over the same layers, keeps nothing, and multiplies each layer's features by their transpose
once. Noise serves as images and as brains: the cost does not depend on it.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import numpy as np

IMAGES, SIZE, SUBJECTS = 1000, 425, 8
LAYERS = 7


def main() -> None:
    from brainscore_granularity.brains import layers

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        model, benchmark = network(), study(Path(folder))
        benchmark.layer_scores(benchmark.subject_rdms[0])  # loads
        stimuli = benchmark.shown_to(model)
        forward_pass(model, stimuli, 64)  # warms up
        widths, forward = forward_pass(model, stimuli, IMAGES)
        start = time.perf_counter()
        layers.table(model, benchmark, n=1)
        ours, memory = time.perf_counter() - start, peak_gb()
        products = sum(blas_product(width) for width in widths)
        print(
            f"table of {LAYERS} layers, {SUBJECTS} subjects, {IMAGES} images of {SIZE} px, {sum(widths):,} features: "
            f"forward pass {forward:.1f} s + products {products:.1f} s | ours: {ours:.1f} s | "
            f"{ours / (forward + products):.2f} times (asked 1.3); peak memory {memory:.2f} GB, torch and "
            "Brain-Score included (asked 4)"
        )
        start = time.perf_counter()
        benchmark.corrected_p([benchmark.subject_rdms[k] for k in range(LAYERS)], 999)
        print(f"p by 999 permutations, on top: {time.perf_counter() - start:.1f} s")


def network():
    """alexnet_bn with its 7 layers after the non-linearity, as a Brain-Score model."""
    from brainscore_vision.model_helpers.brain_transformation import ModelCommitment

    from brainscore_granularity import networks
    from brainscore_granularity.brains.model import wrap

    built = networks.build("alexnet_bn", 64, seed=0).eval()
    names = [name for name in built.candidates if "relu" in name][:LAYERS]
    assert len(names) == LAYERS, built.candidates
    return ModelCommitment("bench", wrap(built, "bench"), names, region_layer_map={"IT": names[-1]})


def study(folder: Path):
    from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet
    from PIL import Image

    from brainscore_granularity import rsa
    from brainscore_granularity.brains.benchmark import RSABenchmark
    from brainscore_granularity.brains.targets import Targets, between_subjects

    rng, paths = np.random.default_rng(0), {}
    for i in range(IMAGES):
        paths[f"image{i:04d}"] = folder / f"{i:04d}.png"
        small = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8))
        small.resize((SIZE, SIZE)).save(paths[f"image{i:04d}"], compress_level=1)
    stimuli = StimulusSet({"stimulus_id": list(paths)})
    stimuli.stimulus_paths, stimuli.identifier = paths, "bench"
    rdms = np.stack([rsa.rdm(rng.normal(size=(IMAGES, 100))) for _ in range(SUBJECTS)])
    names = [f"subject{k}" for k in range(SUBJECTS)]
    targets = Targets(rdms, names, stimuli, lambda: between_subjects(rdms), "bench")
    return RSABenchmark("bench", 1, "IT", lambda: targets, None, "")


def forward_pass(model, stimuli, n: int) -> tuple[list[int], float]:
    """Features a layer, and seconds, of ``n`` images through Brain-Score's wrapper, nothing kept."""
    extractor = model.activations_model._extractor
    paths = [str(stimuli.get_stimulus(stimulus)) for stimulus in stimuli["stimulus_id"][:n]]
    start = time.perf_counter()
    for first in range(0, n, 64):
        batch = extractor.preprocess(paths[first : first + 64])
        found = extractor.get_activations(batch, model.layers)
    return [int(np.prod(values.shape[1:])) for values in found.values()], time.perf_counter() - start


def blas_product(width: int) -> float:
    x = np.random.default_rng(0).random((IMAGES, width), dtype=np.float32)
    start = time.perf_counter()
    x @ x.T
    return time.perf_counter() - start


def peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
