"""RSA on 92 and on 118 object images: human fMRI of early visual cortex and IT, human MEG early and late."""

from brainscore_vision import benchmark_registry

from .benchmark import rsa_benchmark

benchmark_registry["Cichy2014_fmri.EVC-rsa"] = lambda: rsa_benchmark("Cichy2014_fmri.EVC")
benchmark_registry["Cichy2014_fmri.IT-rsa"] = lambda: rsa_benchmark("Cichy2014_fmri.IT")
benchmark_registry["Cichy2014_meg.early-rsa"] = lambda: rsa_benchmark("Cichy2014_meg.early")
benchmark_registry["Cichy2014_meg.late-rsa"] = lambda: rsa_benchmark("Cichy2014_meg.late")
benchmark_registry["Cichy2016_fmri.EVC-rsa"] = lambda: rsa_benchmark("Cichy2016_fmri.EVC")
benchmark_registry["Cichy2016_fmri.IT-rsa"] = lambda: rsa_benchmark("Cichy2016_fmri.IT")
benchmark_registry["Cichy2016_meg.early-rsa"] = lambda: rsa_benchmark("Cichy2016_meg.early")
benchmark_registry["Cichy2016_meg.late-rsa"] = lambda: rsa_benchmark("Cichy2016_meg.late")
