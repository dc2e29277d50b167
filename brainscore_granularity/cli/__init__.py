"""The command line: all that reads arguments or prints tables."""
