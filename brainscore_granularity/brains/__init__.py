"""What Brain-Score sees: models with committed layers, and the benchmarks that they are scored on."""
