"""The classes that a network is trained on: how they are made, and where they are kept."""
