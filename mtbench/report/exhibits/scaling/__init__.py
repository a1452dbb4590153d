"""Results and costs over the number of tasks."""
