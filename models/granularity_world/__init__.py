"""Networks trained on the embedded world at every granularity: `granularity demo` makes them."""

from brainscore_vision import model_registry

from .model import get_model

model_registry["granularity_world_untrained_s1"] = lambda: get_model("granularity_world_untrained_s1")
model_registry["granularity_world_untrained_s2"] = lambda: get_model("granularity_world_untrained_s2")
model_registry["granularity_world_fitted_s1"] = lambda: get_model("granularity_world_fitted_s1")
model_registry["granularity_world_fitted_s2"] = lambda: get_model("granularity_world_fitted_s2")
model_registry["granularity_world_own_k2_s1"] = lambda: get_model("granularity_world_own_k2_s1")
model_registry["granularity_world_own_k2_s2"] = lambda: get_model("granularity_world_own_k2_s2")
model_registry["granularity_world_own_k4_s1"] = lambda: get_model("granularity_world_own_k4_s1")
model_registry["granularity_world_own_k4_s2"] = lambda: get_model("granularity_world_own_k4_s2")
model_registry["granularity_world_own_k8_s1"] = lambda: get_model("granularity_world_own_k8_s1")
model_registry["granularity_world_own_k8_s2"] = lambda: get_model("granularity_world_own_k8_s2")
model_registry["granularity_world_own_k16_s1"] = lambda: get_model("granularity_world_own_k16_s1")
model_registry["granularity_world_own_k16_s2"] = lambda: get_model("granularity_world_own_k16_s2")
model_registry["granularity_world_own_k64_s1"] = lambda: get_model("granularity_world_own_k64_s1")
model_registry["granularity_world_own_k64_s2"] = lambda: get_model("granularity_world_own_k64_s2")
model_registry["granularity_world_native_s1"] = lambda: get_model("granularity_world_native_s1")
model_registry["granularity_world_native_s2"] = lambda: get_model("granularity_world_native_s2")
