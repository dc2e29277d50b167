"""The Natural Scenes Dataset and NSD-synthetic, from the owners' files, one session at a time."""
