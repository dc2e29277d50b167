"""RSA and ridge encoding on spiking activity of macaque V4: four sessions of two monkeys."""

from brainscore_vision import benchmark_registry

from .benchmark import ridge_benchmark, rsa_benchmark

benchmark_registry["Cowley2023.V4-rsa"] = lambda: rsa_benchmark()
benchmark_registry["Cowley2023.V4-ridge"] = lambda: ridge_benchmark()
