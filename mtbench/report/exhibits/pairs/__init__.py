"""Numbers of pairs of tasks: distances, and published ones beside ours."""
