"""One small network under five learning rules, five seeds each; the untrained ones are built from their seed.

Those with a K learned K coarse classes instead of the ten of CIFAR-10.
"""

from brainscore_vision import model_registry

from .model import get_model

model_registry["learningrule_backprop_s1"] = lambda: get_model("learningrule_backprop_s1")
model_registry["learningrule_backprop_s2"] = lambda: get_model("learningrule_backprop_s2")
model_registry["learningrule_backprop_s3"] = lambda: get_model("learningrule_backprop_s3")
model_registry["learningrule_backprop_s4"] = lambda: get_model("learningrule_backprop_s4")
model_registry["learningrule_backprop_s5"] = lambda: get_model("learningrule_backprop_s5")
model_registry["learningrule_feedback_alignment_s1"] = lambda: get_model("learningrule_feedback_alignment_s1")
model_registry["learningrule_feedback_alignment_s2"] = lambda: get_model("learningrule_feedback_alignment_s2")
model_registry["learningrule_feedback_alignment_s3"] = lambda: get_model("learningrule_feedback_alignment_s3")
model_registry["learningrule_feedback_alignment_s4"] = lambda: get_model("learningrule_feedback_alignment_s4")
model_registry["learningrule_feedback_alignment_s5"] = lambda: get_model("learningrule_feedback_alignment_s5")
model_registry["learningrule_predictive_coding_s1"] = lambda: get_model("learningrule_predictive_coding_s1")
model_registry["learningrule_predictive_coding_s2"] = lambda: get_model("learningrule_predictive_coding_s2")
model_registry["learningrule_predictive_coding_s3"] = lambda: get_model("learningrule_predictive_coding_s3")
model_registry["learningrule_predictive_coding_s4"] = lambda: get_model("learningrule_predictive_coding_s4")
model_registry["learningrule_predictive_coding_s5"] = lambda: get_model("learningrule_predictive_coding_s5")
model_registry["learningrule_stdp_s1"] = lambda: get_model("learningrule_stdp_s1")
model_registry["learningrule_stdp_s2"] = lambda: get_model("learningrule_stdp_s2")
model_registry["learningrule_stdp_s3"] = lambda: get_model("learningrule_stdp_s3")
model_registry["learningrule_stdp_s4"] = lambda: get_model("learningrule_stdp_s4")
model_registry["learningrule_stdp_s5"] = lambda: get_model("learningrule_stdp_s5")
model_registry["learningrule_untrained_s1"] = lambda: get_model("learningrule_untrained_s1")
model_registry["learningrule_untrained_s2"] = lambda: get_model("learningrule_untrained_s2")
model_registry["learningrule_untrained_s3"] = lambda: get_model("learningrule_untrained_s3")
model_registry["learningrule_untrained_s4"] = lambda: get_model("learningrule_untrained_s4")
model_registry["learningrule_untrained_s5"] = lambda: get_model("learningrule_untrained_s5")
model_registry["learningrule_fitted_s1"] = lambda: get_model("learningrule_fitted_s1")
model_registry["learningrule_fitted_s2"] = lambda: get_model("learningrule_fitted_s2")
model_registry["learningrule_fitted_s3"] = lambda: get_model("learningrule_fitted_s3")
model_registry["learningrule_fitted_s4"] = lambda: get_model("learningrule_fitted_s4")
model_registry["learningrule_fitted_s5"] = lambda: get_model("learningrule_fitted_s5")
model_registry["learningrule_backprop_own_k2_s1"] = lambda: get_model("learningrule_backprop_own_k2_s1")
model_registry["learningrule_backprop_own_k8_s1"] = lambda: get_model("learningrule_backprop_own_k8_s1")
model_registry["learningrule_feedback_alignment_own_k2_s1"] = lambda: get_model(
    "learningrule_feedback_alignment_own_k2_s1"
)
model_registry["learningrule_feedback_alignment_own_k8_s1"] = lambda: get_model(
    "learningrule_feedback_alignment_own_k8_s1"
)
model_registry["learningrule_predictive_coding_own_k2_s1"] = lambda: get_model(
    "learningrule_predictive_coding_own_k2_s1"
)
model_registry["learningrule_predictive_coding_own_k8_s1"] = lambda: get_model(
    "learningrule_predictive_coding_own_k8_s1"
)
