"""RSA on spiking activity of two monkeys: 100 images shown 30 times."""

from brainscore_vision import benchmark_registry

from .benchmark import rsa_benchmark

benchmark_registry["Papale2025.V1-rsa"] = lambda: rsa_benchmark("V1")
benchmark_registry["Papale2025.V4-rsa"] = lambda: rsa_benchmark("V4")
benchmark_registry["Papale2025.IT-rsa"] = lambda: rsa_benchmark("IT")
