"""The speed of methods on this machine: timed training steps, and the highest rate that the machine reaches."""
