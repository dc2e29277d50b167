"""The measures used by the analyses: pure functions of arrays or tables."""
