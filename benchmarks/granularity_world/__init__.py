"""Benchmarks on the embedded world. The subjects are simulated: a check of methods, not a finding."""

from brainscore_vision import benchmark_registry

from .benchmark import rsa_benchmark, triplet_benchmark

benchmark_registry["World.V1-rsa"] = lambda: rsa_benchmark("World.V1", region="V1")
benchmark_registry["World.IT-rsa"] = lambda: rsa_benchmark("World.IT", region="IT")
benchmark_registry["World.triplet"] = lambda: triplet_benchmark("World.triplet")
# positive control: a brain dominated by what tells fine classes apart
benchmark_registry["World_fine.IT-rsa"] = lambda: rsa_benchmark("World_fine.IT", region="IT")
benchmark_registry["World_fine.triplet"] = lambda: triplet_benchmark("World_fine.triplet")
# negative control: a brain with no relation to the images
benchmark_registry["World_null.IT-rsa"] = lambda: rsa_benchmark("World_null.IT", region="IT")
benchmark_registry["World_null.triplet"] = lambda: triplet_benchmark("World_null.triplet")
