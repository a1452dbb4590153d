"""Pages of sample images of a dataset, and the table of its labels, for `mtbench data`."""
