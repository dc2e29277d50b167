"""One analysis a file: how it is run on a study, what it answers, its figures."""
