"""The Python door: the functions of ``import mtbench``, one file each, over which the command line is a thin layer."""
