"""RSA on LAION-fMRI, five people: natural images, and images out of their distribution."""

from brainscore_vision import benchmark_registry

from .benchmark import natural, out_of_distribution

benchmark_registry["Zerbe2026_fmri.V1-rsa"] = lambda: natural("V1")
benchmark_registry["Zerbe2026_fmri.V2-rsa"] = lambda: natural("V2")
benchmark_registry["Zerbe2026_fmri.V4-rsa"] = lambda: natural("V4")
benchmark_registry["Zerbe2026_fmri.IT-rsa"] = lambda: natural("IT")

benchmark_registry["Zerbe2026_fmri.V1-ood-rsa"] = lambda: out_of_distribution("V1")
benchmark_registry["Zerbe2026_fmri.V2-ood-rsa"] = lambda: out_of_distribution("V2")
benchmark_registry["Zerbe2026_fmri.V4-ood-rsa"] = lambda: out_of_distribution("V4")
benchmark_registry["Zerbe2026_fmri.IT-ood-rsa"] = lambda: out_of_distribution("IT")
