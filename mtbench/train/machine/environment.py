"""The program and the system of a run, for its record."""

import platform
from importlib.metadata import version

from mtbench.store.record import Environment

__all__ = ["environment"]


def environment() -> Environment:
    """Return the versions and the platform of this process."""
    return Environment(mtbench=version("mtbench"), python=platform.python_version(), platform=platform.platform())
