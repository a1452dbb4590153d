"""A stranger's plug-ins: a network with a layer of its own, and the balancer that it is trained with."""
