"""Claims of a suite: what they state, and whether the grid can answer them."""
