"""Submissions of our models to the Brain-Score website, and a check that they work."""
