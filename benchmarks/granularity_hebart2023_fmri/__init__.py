"""RSA on THINGS-fMRI: 100 images shown 12 times to three people."""

from brainscore_vision import benchmark_registry

from .benchmark import rsa_benchmark

benchmark_registry["Hebart2023_fmri.V1-rsa"] = lambda: rsa_benchmark("V1")
benchmark_registry["Hebart2023_fmri.V2-rsa"] = lambda: rsa_benchmark("V2")
benchmark_registry["Hebart2023_fmri.V4-rsa"] = lambda: rsa_benchmark("V4")
benchmark_registry["Hebart2023_fmri.LOC-rsa"] = lambda: rsa_benchmark("LOC")
benchmark_registry["Hebart2023_fmri.IT-rsa"] = lambda: rsa_benchmark("IT")
