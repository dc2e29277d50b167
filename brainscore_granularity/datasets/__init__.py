"""Stimuli and recordings: measured data from Brain-Score, from fixed addresses or from files on this computer."""
