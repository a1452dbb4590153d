"""Numbers of runs that exhibits are made of: comparisons, gains, costs and what a suite adds."""
