"""Measurements behind docs/performance.md and docs/calibration.md; not part of the package."""
