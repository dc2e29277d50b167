"""Models x benchmarks -> scores, in this process, on local workers or on a cluster; one JSON file a score.

An engine (`local`, `dispatch`) is a function ``engine(by_model, wanted, started)``. It yields one record for each pair
of model and benchmark, as soon as the pair is finished.

by_model : {model: benchmarks}, the pairs to score.
wanted : called with a pair before it starts; False if another runner has finished it meanwhile.
started : called with a pair when it starts.
"""

from brainscore_granularity import imported_when_used

__getattr__, __dir__, __all__ = imported_when_used(__name__, {"score_grid": ".run", "preview": ".run"})
