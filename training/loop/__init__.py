"""The training loop: batches, steps, state on disk, many networks over one pass of the data."""
