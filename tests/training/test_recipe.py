"""What a recipe accepts, what its run id depends on, and the published ones."""

from dataclasses import fields, replace

import pytest
from brainscore_granularity.training import recipe as recipe_module
from brainscore_granularity.training.loop import feed
from brainscore_granularity.training.recipe import Recipe
from brainscore_granularity.training.recipes import RECIPES, named

RECIPE = Recipe("mini", "taxonomy", 2, seed=1, epochs=2, batch_size=64)


def test_run_id_changes_with_every_setting_and_with_the_data():
    base = RECIPE.run_id("data")
    assert base == Recipe("mini", "taxonomy", 2, seed=1, epochs=2, batch_size=64).run_id("data")
    assert base != RECIPE.run_id("other data")
    together = {
        "optimizer": {"optimizer": "sgd", "momentum": 0.9},
        "objective": {"objective": "curriculum", "tune": "head"},
        "data_seed": {"data_seed": 1},
        "precision": {"precision": "bfloat16"},
        "order": {"order": "blocks"},
        "accumulate": {"accumulate": 2},
        "dropout": {"dropout": 0.5},
        "ema": {"ema": 0.9},
        "rule": {"rule": "untrained"},
    }
    inner = {name for name, *_ in recipe_module._CONDITIONAL}  # these need their owner and are changed below
    for field in fields(Recipe):
        if field.name in inner:
            continue
        value = getattr(RECIPE, field.name)
        changes = together.get(field.name) or {field.name: value + "x" if isinstance(value, str) else value + 1}
        assert replace(RECIPE, **changes).run_id("data") != base, field.name
    for name, owner, value, owners in recipe_module._CONDITIONAL:
        needed = {n: v for n, o, v, values in recipe_module._CONDITIONAL if o == owner and owners[0] in values}
        extra = {"labels": "none", "k": 1, "label_smoothing": 0.0} if owners[0] in ("simclr", "dino") else {}
        one = replace(RECIPE, **{owner: owners[0]}, **needed, **extra)
        words = {"tune": "late", "feedback": "direct", "top_down": "tied"}
        other = words[name] if name in words else type(value)(value / 2)
        assert one.run_id("data") != replace(one, **{name: other}).run_id("data"), name


def test_ids_of_the_first_release_are_kept():
    """A setting added later, at its default, does not make old runs look new."""
    assert Recipe("mini", "own", 2, seed=1).run_id("eb2395f4347fc606-128ae9bdb04deb36") == "9d737debf43750c2"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"momentum": 0.9}, "momentum = 0.9 would not be used: it belongs to optimizer sgd"),
        ({"optimizer": "sgd"}, "optimizer sgd needs momentum"),
        ({"optimizer": "lion"}, "unknown optimizer 'lion'; known: adamw, sgd"),
        ({"precision": "float16"}, "known: float32, bfloat16"),
        ({"temperature": 0.5}, "belongs to objective simclr"),
        ({"batch_size": 64, "accumulate": 3}, "does not divide the batch of 64"),
        ({"objective": "simclr", "projection": 8, "temperature": 0.5}, "uses no classes: set labels none, k 1"),
        ({"epochs": -1}, "epochs must lie in 0..inf, got -1"),
        ({"colour": 1}, "unknown setting colour; a recipe has accumulate, attack_step, augmentation"),
    ],
)
def test_unknown_and_unused_settings_are_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        named("world", k=2, **settings)


def test_named_recipes_are_the_published_ones():
    assert all(named(name, k=RECIPES[name].get("k", 8)) for name in RECIPES)
    big, small = named("imagenet", k=8), named("imagenet_small_batch", k=8)
    assert (big.learning_rate, big.batch_size, big.dropout) == (2e-3, 256, 0.5)
    assert (small.learning_rate, small.batch_size, small.dropout) == (5e-4, 32, 0.3)
    assert (big.epochs, big.warmup_epochs, big.weight_decay, big.label_smoothing) == (20, 2, 1e-3, 0.1)
    scaling = named("scaling", k=8)
    assert (scaling.optimizer, scaling.learning_rate, scaling.momentum, scaling.weight_decay) == ("sgd", 0.1, 0.9, 1e-4)
    with pytest.raises(ValueError, match="unknown recipe 'huge'; known: adversarial, dino, imagenet"):
        named("huge", k=2)
    for name in RECIPES:
        feed.augmenter(named(name, k=RECIPES[name].get("k", 8)).augmentation)
    with pytest.raises(ValueError, match="'zoom=2' is not a setting. Give flip, none, or KEY=VALUE"):
        feed.augmenter("flip=true,zoom=2")
    assert feed.augmenter("flip=true,random_resized_crop=0.08:1,randaugment=2").randaugment == 2
