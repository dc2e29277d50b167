"""Which weights a model has, where they are kept and under which identifiers. Brain-Score is not needed."""
