"""THINGS-fMRI, three people: RSA on 100 images shown 12 times and on one of each of 720 concepts; encoding."""

from brainscore_vision import benchmark_registry

from .benchmark import of_720_concepts, ridge_benchmark, rsa_benchmark

benchmark_registry["Hebart2023_fmri.V1-rsa"] = lambda: rsa_benchmark("V1")
benchmark_registry["Hebart2023_fmri.V2-rsa"] = lambda: rsa_benchmark("V2")
benchmark_registry["Hebart2023_fmri.V4-rsa"] = lambda: rsa_benchmark("V4")
benchmark_registry["Hebart2023_fmri.LOC-rsa"] = lambda: rsa_benchmark("LOC")
benchmark_registry["Hebart2023_fmri.IT-rsa"] = lambda: rsa_benchmark("IT")

benchmark_registry["Hebart2023_fmri.V1-720-rsa"] = lambda: of_720_concepts("V1")
benchmark_registry["Hebart2023_fmri.V2-720-rsa"] = lambda: of_720_concepts("V2")
benchmark_registry["Hebart2023_fmri.LOC-720-rsa"] = lambda: of_720_concepts("LOC")
benchmark_registry["Hebart2023_fmri.IT-720-rsa"] = lambda: of_720_concepts("IT")

benchmark_registry["Hebart2023_fmri.LOC-ridge"] = lambda: ridge_benchmark("LOC")
