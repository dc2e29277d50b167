"""RSA on THINGS-fMRI, 100 images shown 12 times to three people, and encoding of a region that Brain-Score's lack."""

from brainscore_vision import benchmark_registry

from .benchmark import ridge_benchmark, rsa_benchmark

benchmark_registry["Hebart2023_fmri.V1-rsa"] = lambda: rsa_benchmark("V1")
benchmark_registry["Hebart2023_fmri.V2-rsa"] = lambda: rsa_benchmark("V2")
benchmark_registry["Hebart2023_fmri.V4-rsa"] = lambda: rsa_benchmark("V4")
benchmark_registry["Hebart2023_fmri.LOC-rsa"] = lambda: rsa_benchmark("LOC")
benchmark_registry["Hebart2023_fmri.IT-rsa"] = lambda: rsa_benchmark("IT")

benchmark_registry["Hebart2023_fmri.LOC-ridge"] = lambda: ridge_benchmark("LOC")
