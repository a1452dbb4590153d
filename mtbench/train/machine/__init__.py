"""The machine that a run is trained on: its device, libraries and instruction sets."""
