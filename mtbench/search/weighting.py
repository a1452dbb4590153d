"""The balancer that takes searched task weights: found among the installed ones, not by its name."""

import dataclasses
import re
from collections.abc import Collection

from mtbench import registry
from mtbench.contract import Alias
from mtbench.contract.options import weights_option
from mtbench.errors import MtbenchError, UsageError
from mtbench.plan.chosen import MethodChoice
from mtbench.plan.parse import compose, parse_method
from mtbench.plan.spec import Choice, composition

__all__ = ["searched_method"]


def searched_method(text: str, objective: str, space: Collection[str]) -> MethodChoice:
    """Return the method that is searched: as given, or the network with the balancer that takes task weights.

    A network that was named without a balancer gets that balancer if an objective per task is requested, or if a space
    is given for its weights. If neither objective nor space is given, it gets the balancer if the network with its own
    balancer has an alias, by which it could have been requested. The installed balancers decide: a balancer takes task
    weights if one of its options is searched as a simplex.

    Raises:
        UsageError: the method does not exist, or more than one balancer takes task weights.
    """
    method = parse_method(text)
    name = re.split("[:+@]", text.strip())[0]
    if len(composition(text)) > 1 or issubclass(registry.load("method", name), Alias):
        return method
    has_name_of_its_own = re.split("[:+@]", method.title)[0] != name
    if not (objective == "tasks" or space or (not objective and has_name_of_its_own)):
        return method
    found = _weighting_balancers(name)
    named = {option.rpartition(".")[2].replace("-", "_") for option in space}
    if not found or (space and not named & set(found.values())):
        return method
    if len(found) > 1:
        raise UsageError(
            f"more than one balancer takes task weights: {', '.join(found)}.",
            mend=f"Name one of them, as in --method {name}+{min(found)}.",
        )
    weighted = compose(method.network_choice, Choice(name=min(found)), method.backbone, method.files)
    return dataclasses.replace(weighted, preset=method.preset)


def _weighting_balancers(network: str) -> dict[str, str]:
    """Return the balancers that take task weights and fit the network, each with that option.

    They are those of the package that the network comes from, if there are any, so that another package changes
    nothing.
    """
    found: dict[str, str] = {}
    for name in registry.entries("balancer"):
        try:
            option = weights_option(compose(Choice(name=network), Choice(name=name), None, {}).balancer_class.Options)
        except MtbenchError:
            continue  # broken, not installed, or does not fit the network
        found |= {name: option} if option else {}
    home = registry.find("method", network).distribution
    own = {name: option for name, option in found.items() if registry.find("balancer", name).distribution == home}
    return own or found
