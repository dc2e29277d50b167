"""A small network trained on Tiny-ImageNet at every granularity; its weights are shipped."""

from brainscore_vision import model_registry

from .model import get_model

model_registry["granularity_tiny_untrained_s1"] = lambda: get_model("granularity_tiny_untrained_s1")
model_registry["granularity_tiny_untrained_s2"] = lambda: get_model("granularity_tiny_untrained_s2")
model_registry["granularity_tiny_untrained_s3"] = lambda: get_model("granularity_tiny_untrained_s3")
model_registry["granularity_tiny_untrained_s4"] = lambda: get_model("granularity_tiny_untrained_s4")
model_registry["granularity_tiny_untrained_s5"] = lambda: get_model("granularity_tiny_untrained_s5")
model_registry["granularity_tiny_fitted_s1"] = lambda: get_model("granularity_tiny_fitted_s1")
model_registry["granularity_tiny_fitted_s2"] = lambda: get_model("granularity_tiny_fitted_s2")
model_registry["granularity_tiny_fitted_s3"] = lambda: get_model("granularity_tiny_fitted_s3")
model_registry["granularity_tiny_fitted_s4"] = lambda: get_model("granularity_tiny_fitted_s4")
model_registry["granularity_tiny_fitted_s5"] = lambda: get_model("granularity_tiny_fitted_s5")
model_registry["granularity_tiny_own_k2_s1"] = lambda: get_model("granularity_tiny_own_k2_s1")
model_registry["granularity_tiny_own_k4_s1"] = lambda: get_model("granularity_tiny_own_k4_s1")
model_registry["granularity_tiny_own_k8_s1"] = lambda: get_model("granularity_tiny_own_k8_s1")
model_registry["granularity_tiny_own_k16_s1"] = lambda: get_model("granularity_tiny_own_k16_s1")
model_registry["granularity_tiny_own_k32_s1"] = lambda: get_model("granularity_tiny_own_k32_s1")
model_registry["granularity_tiny_own_k64_s1"] = lambda: get_model("granularity_tiny_own_k64_s1")
model_registry["granularity_tiny_native_s1"] = lambda: get_model("granularity_tiny_native_s1")
model_registry["granularity_tiny_random_k8_s1"] = lambda: get_model("granularity_tiny_random_k8_s1")
model_registry["granularity_tiny_random_k64_s1"] = lambda: get_model("granularity_tiny_random_k64_s1")
model_registry["granularity_tiny_permuted_k8_s1"] = lambda: get_model("granularity_tiny_permuted_k8_s1")
model_registry["granularity_tiny_permuted_k64_s1"] = lambda: get_model("granularity_tiny_permuted_k64_s1")
