"""From the losses of several tasks to one update: one file per balancer."""
