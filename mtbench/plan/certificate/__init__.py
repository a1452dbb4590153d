"""Certificates of methods: the runs that a method is compared in, at a size with a name."""
