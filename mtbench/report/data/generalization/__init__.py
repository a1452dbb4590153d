"""Generalization of methods: what they do on the test split, given what they do in training."""
