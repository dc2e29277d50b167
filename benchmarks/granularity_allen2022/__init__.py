"""RSA on the Natural Scenes Dataset, and encoding of regions that Brain-Score's own benchmarks of it lack.

Layers are chosen on train images, shared images score.
"""

from brainscore_vision import benchmark_registry

from .benchmark import ridge_benchmark, rsa_benchmark

benchmark_registry["Allen2022_fmri.V1-rsa"] = lambda: rsa_benchmark("V1")
benchmark_registry["Allen2022_fmri.V2-rsa"] = lambda: rsa_benchmark("V2")
benchmark_registry["Allen2022_fmri.V3-rsa"] = lambda: rsa_benchmark("V3")
benchmark_registry["Allen2022_fmri.V4-rsa"] = lambda: rsa_benchmark("V4")
benchmark_registry["Allen2022_fmri.early-rsa"] = lambda: rsa_benchmark("early")
benchmark_registry["Allen2022_fmri.ventral-rsa"] = lambda: rsa_benchmark("ventral")
benchmark_registry["Allen2022_fmri.FFA-rsa"] = lambda: rsa_benchmark("FFA")
benchmark_registry["Allen2022_fmri.PPA-rsa"] = lambda: rsa_benchmark("PPA")
benchmark_registry["Allen2022_fmri.IT-rsa"] = lambda: rsa_benchmark("IT")

benchmark_registry["Allen2022_fmri.V3-ridge"] = lambda: ridge_benchmark("V3")
benchmark_registry["Allen2022_fmri.early-ridge"] = lambda: ridge_benchmark("early")
benchmark_registry["Allen2022_fmri.ventral-ridge"] = lambda: ridge_benchmark("ventral")
benchmark_registry["Allen2022_fmri.FFA-ridge"] = lambda: ridge_benchmark("FFA")
benchmark_registry["Allen2022_fmri.PPA-ridge"] = lambda: ridge_benchmark("PPA")
