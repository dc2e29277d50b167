"""Where pairs are scored: in this process, on local workers, on a cluster.

An engine is a function ``engine(by_model, wanted, started)`` that yields one record a pair, as pairs finish.

by_model : {model: benchmarks}, what is to be scored.
wanted : called with a pair before it starts; False if another runner has finished it meanwhile.
started : called with a pair when it starts.
"""
