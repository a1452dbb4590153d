"""The Python door: the functions of ``import mtbench``, one file each, over which the command line is a thin layer.

Rooms have what the command line does beyond them: training by plan, reports beside files, checks of records.
"""
