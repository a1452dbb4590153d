"""Options that the commands share: the runs that are asked for, the engine, and trackers."""
