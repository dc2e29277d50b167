"""Analyses: why coarse training might make networks more brain-like, one question each."""
