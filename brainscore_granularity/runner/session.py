"""A session scores pairs in one process: it holds the loaded benchmarks and one model, and reuses what pairs share.

The same `Session.score` runs in the process of `granularity score`, on local workers and on a cluster. Each pair goes
through what ``brainscore_vision.score`` does (load_model, load_benchmark, score_benchmark) and gets the same value.
Pairs share the loaded model and benchmarks, forward passes (`brains.recording`) and ceilings; models share the
preprocessed images. These steps of Brain-Score are left out: its estimate of memory (costs a forward pass), its caches
on disk (keyed by names, may be stale), pip at every load, and the pickle that ``score`` leaves beside the package.
"""

from __future__ import annotations

import atexit
import ctypes
import errno
import gc
import time
from collections.abc import Iterable
from typing import Any

from brainscore_granularity.brains import recorder as reuse
from brainscore_granularity.brains.preprocessed import Preprocessed

from .environment import network, no_stored_activations
from .record import CROSS_VALIDATED, describe_score, outcome, peak_memory, start_measuring_memory, written

REGIONS = ("V1", "V2", "V4", "IT")
atexit.register(gc.unfreeze)  # otherwise objects that `Session` froze would be reported as leaked at exit


class Session:
    """Scores pairs one by one; parameters as those of `run.score_grid`."""

    def __init__(self, offline: bool = False, all_layers: bool = False, splits: int = 0, leave_out: bool = False):
        self.offline, self.all_layers, self.splits, self.leave_out = offline, all_layers, splits, leave_out
        self._benchmarks: dict[str, object] = {}
        self._missing: dict[tuple[str, bool], str | None] = {}
        self._images: dict[tuple, list] = {}
        self._preprocessed = Preprocessed()
        self.recorder: reuse.Recorder | None = None
        self._model: str | None = None
        self._candidate: Any = None
        self._loaded_from: tuple | None = None

    def score(self, model: str, name: str, later: Iterable[str] = ()) -> dict:
        """Score one pair; returns its record, also if scoring fails. Only a full disk raises.

        later : benchmarks that this session is going to score the same model on.
        """
        start_measuring_memory()
        start, scored, failed = time.monotonic(), {}, None
        try:
            with network(self.offline), no_stored_activations():
                scored = self._score(model, name, later)
            value = scored["value"]
            if value is None or value != value:
                failed = f"the score is not a number ({value})"
        except Exception as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise  # the next pair would fail as well
            failed = f"{type(error).__name__}: {error}"
            if isinstance(error, MemoryError):
                self.release()
        ended = outcome(model, name, time.monotonic() - start, failed)
        return {**ended, **scored, "peak_memory_mb": peak_memory()}

    def benchmark(self, name: str):
        """A benchmark, loaded once; its ceiling is computed once and not taken from Brain-Score's cache by name."""
        if name not in self._benchmarks:
            from brainscore_vision import load_benchmark
            from brainscore_vision.benchmarks import BenchmarkBase

            benchmark = load_benchmark(name)
            benchmark.preallocate_memory = lambda candidate: None
            if self.leave_out:
                benchmark.shared = "leave out"
            if isinstance(benchmark, BenchmarkBase):
                benchmark._ceiling = _once(benchmark._ceiling_func)
            self._benchmarks[name] = benchmark
        return self._benchmarks[name]

    def missing(self, name: str, data: bool = False) -> str | None:
        """Why a benchmark (or its data) cannot be loaded, None if it can; checked once per benchmark."""
        if (name, data) not in self._missing:
            try:
                with network(self.offline):
                    benchmark = self.benchmark(name)
                    if data:
                        reuse.stimulus_sets(benchmark)
                self._missing[name, data] = None
            except Exception as error:
                self._missing[name, data] = f"{type(error).__name__}: {error}"
        return self._missing[name, data]

    def fingerprint(self, model: str, name: str) -> dict:
        """All that a score depends on; a stored score with another fingerprint is stale."""
        from brainscore_granularity.weights.find import commitment_of

        checkpoint, layers = commitment_of(model)
        found = {"checkpoint": checkpoint, "layers": layers, "benchmark_version": self.benchmark(name).version}
        return found | {"shared": "leave out"} if self.leave_out else found

    def load(self, model: str, name: str):
        """The model as it would be loaded for a pair."""
        return self._fresh(model, self.fingerprint(model, name))

    def release(self) -> None:
        """Drop the loaded model and its activations, and free their memory."""
        if self._candidate is not None:
            self._model = self._candidate = self._loaded_from = self.recorder = None
            gc.collect()
            _trim()

    def _score(self, model: str, name: str, later: Iterable[str]) -> dict:
        from brainscore_core.benchmarks import score_benchmark

        benchmark = self.benchmark(name)
        fingerprint = self.fingerprint(model, name)
        candidate = self._fresh(model, fingerprint)
        if self.recorder:
            needs = [need for each in (name, *later) for need in self._needs(each, candidate)]
            self.recorder.expect(getattr(benchmark, "_visual_degrees", None), needs)
        region = getattr(benchmark, "region", None)
        layers = reuse.committed_layers(candidate, region)
        score = describe_score(score_benchmark(benchmark, candidate))
        record = {
            "fingerprint": fingerprint,
            "checkpoint": fingerprint["checkpoint"],
            "region": region,
            "layer": ", ".join(layers) or None,
            **score,
        }
        if self.all_layers:
            record["layers"] = _layer_scores(benchmark, candidate)
        if self.splits:
            record[CROSS_VALIDATED] = _cross_validated(benchmark, candidate, fingerprint["checkpoint"], self.splits)
        return record

    def _fresh(self, model: str, fingerprint: dict):
        """The model as Brain-Score would load it for this pair; the network and its activations are shared.

        It is loaded again if it is another model, or if its checkpoint or layers have changed.
        """
        made_from = fingerprint["checkpoint"], fingerprint["layers"]
        if self.recorder is None or (model, made_from) != (self._model, self._loaded_from):
            from brainscore_vision import load_model

            self.release()
            gc.freeze()  # libraries and benchmarks stay in memory; the collector need not scan them for each model
            candidate = load_model(model)
            if made_from[0] not in (None, getattr(candidate, "checkpoint_sha256", made_from[0])):
                raise RuntimeError("the checkpoint was replaced while it was being loaded; run the command again")
            self.recorder = reuse.attach(candidate)
            if self.recorder:
                self._preprocessed.share(candidate.activations_model._extractor)
            self._model, self._candidate, self._loaded_from = model, candidate, made_from
        return reuse.untouched(self._candidate, self.recorder) if self.recorder else self._candidate

    def _needs(self, name: str, candidate) -> list[reuse.Need]:
        try:
            benchmark, key = self.benchmark(name), (name, candidate.visual_degrees())
            if key not in self._images:
                self._images[key] = reuse.image_lists(benchmark, candidate)
            return reuse.needs(benchmark, self._images[key], candidate, self.all_layers)
        except Exception:  # noqa: S112  scoring that pair will report the error
            return []


def _cross_validated(benchmark, candidate, checkpoint, splits: int) -> dict:
    """The score of the layer that is best on the other half of the stimuli, with its own fingerprint."""
    from brainscore_granularity.brains import cross_validation, layers

    try:
        if not hasattr(benchmark, "scorer"):
            raise TypeError(
                f"{benchmark.identifier} is Brain-Score's own: layers are cross-validated on our benchmarks"
            )
        names = layers.candidates(candidate)
        (found,) = cross_validation.cross_validated(candidate, [benchmark], names, splits)
    except Exception as error:  # the score of the committed layer is kept
        return {"reason": f"{type(error).__name__}: {error}", "fingerprint": {"splits": splits}}
    made_from = cross_validation.fingerprint(checkpoint, benchmark, names, splits)
    record = found.record()
    lines = {name: written(record[name]) for name in ("resampled", "surplus")}
    return {**record, **lines, "fingerprint": made_from}


def _layer_scores(benchmark, candidate) -> dict[str, dict]:
    """Score of every candidate layer of a standard Brain-Score model, as if it were the committed one."""
    from brainscore_core.benchmarks import score_benchmark
    from brainscore_vision.model_helpers.brain_transformation import ModelCommitment

    if not isinstance(candidate, ModelCommitment):
        raise TypeError(
            f"{candidate.identifier} is not made with Brain-Score's ModelCommitment: its layers cannot be scored one "
            "by one; leave out --layers all"
        )
    region = getattr(benchmark, "region", None)
    scores = {}
    for layer in candidate.layers:
        single = ModelCommitment(
            identifier=candidate.identifier,
            activations_model=candidate.activations_model,
            layers=[layer],
            behavioral_readout_layer=layer,
            region_layer_map=dict.fromkeys((*REGIONS, region), layer),
            visual_degrees=candidate.visual_degrees(),
        )
        try:
            score = describe_score(score_benchmark(benchmark, single))
            keep = ("value", "raw", "error", "interval", "subject_scores")
            scores[layer] = {key: score[key] for key in keep if key in score}
        except Exception as error:
            scores[layer] = {"reason": f"{type(error).__name__}: {error}"}
    return scores


def _once(function):
    """Cache a method ``_ceiling(identifier)``."""
    kept: list = []

    def ceiling(identifier):
        if not kept:
            kept.append(function())
        return kept[0]

    return ceiling


def _trim() -> None:
    """Give freed memory back to the system (glibc keeps it otherwise)."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        pass
