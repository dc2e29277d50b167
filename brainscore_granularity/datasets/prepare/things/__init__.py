"""THINGS, its odd-one-out choices and THINGS-fMRI, from the owners' files."""
