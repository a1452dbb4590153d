"""Tasks against each other: fronts of searches, and methods beside them."""
