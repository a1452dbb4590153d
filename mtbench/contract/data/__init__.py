"""Datasets: their splits, augmentation, original files and the conventions of published code."""
