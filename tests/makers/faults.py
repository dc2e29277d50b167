"""Loaded by `dask worker --preload`: models that misbehave when they are loaded, under names of their own."""

import os
import signal
import time
from pathlib import Path

import brainscore_vision

from brainscore_granularity.brains import model as brain_model  # noqa: F401  loaded before the first time limit runs

_load = getattr(brainscore_vision.load_model, "original", brainscore_vision.load_model)  # Dask may run this twice


def raises():
    raise RuntimeError("this model is broken")


def hangs():
    time.sleep(3600)


def dies():
    os.kill(os.getpid(), signal.SIGKILL)


def dies_once():
    marker = Path(os.environ["FAULTS_FOLDER"], "died")
    if not marker.exists():
        marker.touch()
        dies()
    return _load("granularity_world_own_k2_s1")


def eats():
    held = []
    while True:
        held.append(b"x" * (50 << 20))
        time.sleep(0.02)


FAULTS = {function.__name__: function for function in (raises, hangs, dies, dies_once, eats)}


def load_model(name):
    return FAULTS[name]() if name in FAULTS else _load(name)


load_model.original = _load
brainscore_vision.load_model = load_model
