"""Multi-task-learning methods compared under one protocol: from one command to a table.

This package is the harness. It names no method and no dataset: those come in through entry points.
Importing it loads nothing heavy; `mtbench.contract` is what a plug-in author reads.
"""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("mtbench")
