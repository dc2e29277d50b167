"""Named recipes: those of the published studies and those of our own networks."""

from __future__ import annotations

from dataclasses import fields

from .recipe import Recipe

INFINITE = float("inf")

# What each named recipe sets, besides network, labels, k and seed; all else has the defaults of `Recipe`.
RECIPES: dict[str, dict] = {
    "world": {"network": "mini"},
    "tiny": {
        "network": "tiny",
        "epochs": 15,
        "data_seed": 0,
        "precision": "bfloat16",
        "augmentation": "flip=true,rotation=10",
    },
    "imagenet": {
        "network": "alexnet_bn",
        "epochs": 20,
        "batch_size": 256,
        "learning_rate": 2e-3,
        "dropout": 0.5,
        "warmup_epochs": 2.0,
        "data_seed": 0,
        "order": "blocks",
        "precision": "bfloat16",
        "augmentation": "flip=true,rotation=10",
    },
    "scaling": {
        "network": "resnet18",
        "epochs": 100,
        "batch_size": 512,
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "momentum": 0.9,
        "weight_decay": 1e-4,
        "label_smoothing": 0.0,
        "warmup_epochs": 5.0,
        "first_rate": 0.01,
        "final_rate": 0.0,
        "clip": INFINITE,
        "data_seed": 0,
        "order": "blocks",
        "precision": "bfloat16",
        "augmentation": "flip=true,random_resized_crop=0.08:1",
    },
}
RECIPES["imagenet_small_batch"] = {**RECIPES["imagenet"], "batch_size": 32, "learning_rate": 5e-4, "dropout": 0.3}
RECIPES["adversarial"] = {
    **RECIPES["scaling"],
    "objective": "adversarial",
    "epochs": 10,
    "learning_rate": 0.01,
    "epsilon": 1 / 255,
    "attack_step": 1.25 / 255,
}
_SELF_SUPERVISED = {
    "labels": "none",
    "k": 1,
    "label_smoothing": 0.0,
}
RECIPES["simclr"] = {
    **RECIPES["scaling"],
    **_SELF_SUPERVISED,
    "objective": "simclr",
    "augmentation": "flip=true,random_resized_crop=0.08:1,colour=0.8,hue=0.2,colour_share=0.8,grey=0.2,blur=0.5",
    "optimizer": "lars",
    "learning_rate": 1.7,  # 0.075 x sqrt(batch size), the paper's rule for small batches
    "weight_decay": 1e-6,
    "warmup_epochs": 10.0,
    "projection": 128,
    "temperature": 0.5,
}
RECIPES["dino"] = {
    **RECIPES["scaling"],
    **_SELF_SUPERVISED,
    "objective": "dino",
    "augmentation": "flip=true,random_resized_crop=0.4:1,colour=0.4,hue=0.1,colour_share=0.8,grey=0.2,blur=0.5",
    "local_views": 6,
    "optimizer": "adamw",
    "momentum": None,
    "learning_rate": 5e-4,
    "weight_decay": 0.04,
    "clip": 3.0,
    "projection": 65536,
    "teacher_momentum": 0.996,
}
RECIPES["learning_rules"] = {
    "network": "rules_cnn",
    "epochs": 40,
    "learning_rate": 2e-3,
    "weight_decay": 1e-2,
    "label_smoothing": 0.0,
    "clip": INFINITE,
    "augmentation": "flip=true,crop_padding=4",
}

# What each learning rule adds to a recipe, unless the caller sets it.
RULE_SETTINGS: dict[str, dict] = {
    "feedback_alignment": {"feedback": "random"},
    "predictive_coding": {"inference_steps": 2, "clamp": 0.01, "top_down": "learned"},
    "stdp": {"spike_steps": 8, "tau_plus": 2.0, "tau_minus": 2.0, "depression": 0.5, "plasticity": 0.01},
}


def named(name: str, **settings) -> Recipe:
    """A named recipe with some settings changed; None leaves a setting as it is.

    >>> named("world", labels="own", k=8, seed=1).network
    'mini'
    """
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}; known: {', '.join(sorted(RECIPES))}")
    known = {field.name for field in fields(Recipe)}
    if unknown := sorted(set(settings) - known):
        raise ValueError(f"unknown setting {', '.join(unknown)}; a recipe has {', '.join(sorted(known))}")
    changed = {key: value for key, value in settings.items() if value is not None}
    base = {"labels": "native", "seed": 1, **RECIPES[name]}
    base |= {**RULE_SETTINGS.get(changed.get("rule"), {}), **changed}
    if "k" not in base:
        raise ValueError("the number of classes k is missing")
    return Recipe(**base)
