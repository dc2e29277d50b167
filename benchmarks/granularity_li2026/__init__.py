"""RSA on Neuropixels recordings from five monkeys that saw the 1,000 shared images of NSD."""

from brainscore_vision import benchmark_registry

from .benchmark import rsa_benchmark

benchmark_registry["Li2026.V1-rsa"] = lambda: rsa_benchmark("V1")
benchmark_registry["Li2026.V2-rsa"] = lambda: rsa_benchmark("V2")
benchmark_registry["Li2026.V4-rsa"] = lambda: rsa_benchmark("V4")
benchmark_registry["Li2026.IT-rsa"] = lambda: rsa_benchmark("IT")
