"""The networks and balancers that come with mtbench, reached through entry points as any plug-in is."""
