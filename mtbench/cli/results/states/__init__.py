"""The states of runs: `mtbench status`."""
