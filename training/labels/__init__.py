"""The classes that a network is trained on: how they are cut, and where they are kept."""
