"""A grid simulated on nodes that fail: how long it takes, how much is trained twice, and which interval between
checkpoints is best. `measured` alone imports torch."""
