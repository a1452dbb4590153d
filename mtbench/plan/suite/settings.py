"""Settings of a training protocol in a suite."""

from collections.abc import Mapping
from typing import TypeAlias

from mtbench.contract.options import render_value

__all__ = ["SIZE", "Setting", "rendered"]

SIZE = ("epochs", "images", "batch", "seeds")
"""Settings of a training protocol that define the amount of training: the sizes of a suite differ only in them."""

Setting: TypeAlias = bool | int | float | str | tuple[str, ...]
"""The value of a setting of the training protocol."""


def rendered(settings: Mapping[str, Setting]) -> dict[str, str]:
    """Return settings as texts of the command line."""
    return {name: render_value(value) for name, value in settings.items()}
