"""One file per analysis: how it is run on a study, its answer, its figures."""
