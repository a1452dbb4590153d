"""The order of methods over tasks and datasets, and its dependence on each of them."""
