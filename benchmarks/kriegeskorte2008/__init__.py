"""RSA on 92 object images: human fMRI, macaque spiking and human judgments on one image set."""

from brainscore_vision import benchmark_registry

from .benchmark import rsa_benchmark

benchmark_registry["Kriegeskorte2008.hIT-rsa"] = lambda: rsa_benchmark("Kriegeskorte2008.hIT")
benchmark_registry["Kriegeskorte2008.mIT-rsa"] = lambda: rsa_benchmark("Kriegeskorte2008.mIT")
benchmark_registry["Kriegeskorte2008.judgment-rsa"] = lambda: rsa_benchmark("Kriegeskorte2008.judgment")
