"""Numbers of a protocol, as a suite states them."""

from collections.abc import Mapping
from typing import TypeAlias

from mtbench.contract.options import render_value

__all__ = ["SIZE", "Setting", "rendered"]

SIZE = ("epochs", "images", "batch", "seeds")
"""Numbers of a protocol that say how much is trained, not what: the sizes of a suite differ in them alone."""

Setting: TypeAlias = bool | int | float | str | tuple[str, ...]
"""The value of a number of the protocol."""


def rendered(settings: Mapping[str, Setting]) -> dict[str, str]:
    """Return settings as the texts that the command line takes."""
    return {name: render_value(value) for name, value in settings.items()}
