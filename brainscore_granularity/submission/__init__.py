"""What the Brain-Score website takes, made from our models, and the proof that it works."""
