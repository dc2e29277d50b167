"""From the files as their owners publish them to Brain-Score assemblies on this computer. Nothing is redistributed."""
