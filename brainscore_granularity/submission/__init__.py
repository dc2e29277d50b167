"""What the Brain-Score website and repository take, made from our models and benchmarks, and the proof that it works."""
