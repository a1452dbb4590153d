"""Measurements that a training protocol asks for besides: conflict of gradients, and task selectivity."""
