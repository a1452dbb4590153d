"""Settings of a training protocol in a suite."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import Field

from mtbench.contract.options import render_value
from mtbench.contract.options.limits import LIMITS

__all__ = ["SIZE", "Margin", "Number", "Seeds", "Setting", "rendered"]

SIZE = ("epochs", "images", "batch", "seeds")
"""Settings of a training protocol that define the amount of training: the sizes of a suite differ only in them."""

Setting: TypeAlias = bool | int | float | str | tuple[str, ...]
"""The value of a setting of the training protocol."""

Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
"""A published number: finite."""
Margin: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A difference that matters, in a metric's unit: finite and not negative."""
Seeds: TypeAlias = Annotated[int, Field(ge=0, le=LIMITS["seeds"])]
"""A number of seeds; 0 where it is not given."""


def rendered(settings: Mapping[str, Setting]) -> dict[str, str]:
    """Return settings as texts of the command line."""
    return {name: render_value(value) for name, value in settings.items()}
