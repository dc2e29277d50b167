"""Training: torch and numpy only, Brain-Score not needed."""
