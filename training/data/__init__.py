"""Images: from files on disk to one memory-mapped pack, and the order in which they are read."""
