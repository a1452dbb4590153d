"""Rows of a suite that wait for others: a balancer with constant task weights, which are those of another balancer.

``branches+fixed:from=nash-mtl`` in a grid is ``branches+fixed:weights=...`` with the mean weights of the runs of
``branches+nash-mtl`` on the same dataset and under the same settings. The latter is a row of the same grid, the first
stage; the row itself is of the second stage, and is resolved when the first has finished. Everything behind ``from=``
is the other balancer, with its options, up to the backbone: ``branches+fixed:from=fairgrad:alpha=2@lenet:dropout=.5``.
Any balancer that has an option for task weights can be used so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mtbench import registry
from mtbench.contract import Balancer
from mtbench.contract.options import render_value, weights_option
from mtbench.errors import PluginError, UsageError
from mtbench.plan.chosen import load_plugin, split_options
from mtbench.plan.parse import TAKES
from mtbench.plan.spec import composition

__all__ = ["SecondStage", "bare", "second_stage"]


@dataclass(frozen=True, kw_only=True)
class SecondStage:
    """A method whose task weights come from the runs of another one.

    Attributes:
        first: the text of the method that the weights come from.
        bare: the text of the method itself without weights.
        option: the option of its balancer that takes the weights.
    """

    first: str
    bare: str
    option: str

    def with_weights(self, weights: Sequence[float]) -> str:
        """Return the text of the method with these task weights (T,)."""
        method, at, backbone = self.bare.partition("@")
        return f"{method}:{self.option}={render_value(tuple(map(float, weights)))}{at}{backbone}"


def second_stage(text: str) -> SecondStage | None:
    """Return a method that takes its task weights from another one; None for any other method.

    Raises:
        UsageError: it names no other balancer, or two, or gives weights besides; or its balancer takes no weights.
        PluginError: its balancer is broken.
    """
    method, at, backbone = text.strip().partition("@")
    network, *balancers = composition(method)
    own, found, other = (balancers[0] if balancers else "").partition(f":{TAKES}=")
    if not found:
        return None
    choice = split_options(own, "balancer")
    option = weights_option(load_plugin("balancer", choice.name, Balancer).Options)
    if not option:
        raise UsageError(
            f"method '{text}' gives balancer '{choice.name}' the task weights of another one, and it takes none.",
            allowed=f"Balancers that take task weights: {', '.join(_takers())}.",
        )
    if not other or len(balancers) > 1 or f":{TAKES}=" in other:
        raise UsageError(
            f"method '{text}' takes weights from '{other}', which is not one balancer with weights of its own.",
            mend=f"Write one, with its options, as in {network}+{choice.name}:{TAKES}=NAME.",
        )
    if option in choice.options:
        raise UsageError(f"method '{text}' gives both '{option}' and '{TAKES}'.", mend="Leave one of the two out.")
    return SecondStage(first=f"{network}+{other}{at}{backbone}", bare=f"{network}+{own}{at}{backbone}", option=option)


def bare(text: str) -> str:
    """Return the text of a method of the second stage without weights; any other method as it is.

    Raises:
        UsageError, PluginError: see `second_stage`.
    """
    found = second_stage(text)
    return found.bare if found else text


def _takers() -> list[str]:
    """Return the installed balancers that take task weights."""
    found = []
    for name in registry.entries("balancer"):
        try:
            if weights_option(load_plugin("balancer", name, Balancer).Options):
                found.append(name)
        except (PluginError, UsageError):
            continue  # broken; `mtbench doctor` lists it
    return found
