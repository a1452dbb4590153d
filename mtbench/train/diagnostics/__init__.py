"""Additional measurements that a training protocol can request: conflict of gradients, and task selectivity."""
