"""Make Brain-Score assemblies on this computer from files that their owners publish. Nothing is redistributed."""
