"""Human similarity judgements of THINGS: odd-one-out choices, and the concepts behind them."""

from brainscore_vision import benchmark_registry

from .benchmark import concept_rsa, triplet

benchmark_registry["Hebart2023.triplet"] = lambda: triplet()
benchmark_registry["Hebart2023.concept-rsa"] = lambda: concept_rsa()
