"""The architectures behind ``brainscore_granularity.networks``, a family a file."""
