"""RSA on NSD-synthetic: images out of distribution. Test only: layers are those chosen elsewhere."""

from brainscore_vision import benchmark_registry

from .benchmark import rsa_benchmark

benchmark_registry["Allen2022_fmri_synthetic.early-rsa"] = lambda: rsa_benchmark("early")
benchmark_registry["Allen2022_fmri_synthetic.ventral-rsa"] = lambda: rsa_benchmark("ventral")
