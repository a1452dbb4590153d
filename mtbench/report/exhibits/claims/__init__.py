"""Claims of suites, judged."""
