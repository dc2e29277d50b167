"""What `brainscore_granularity.stats` is made of: one estimator a file."""
