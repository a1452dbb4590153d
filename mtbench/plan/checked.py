"""Specs from files: settings that readers can work with, and titles that describe the parts.

The texts of titles in a file are believed only as far as they describe the parts. For that the sources of plug-ins are
read; none is imported.
"""

import dataclasses
import re
from functools import lru_cache

from mtbench import registry
from mtbench.contract import TrainingProtocol
from mtbench.contract.options import render_value
from mtbench.contract.options.files import with_short_hashes
from mtbench.contract.options.limits import LIMITS
from mtbench.contract.protocol.clip import parse_clip
from mtbench.contract.protocol.schedule import parse_schedule
from mtbench.errors import MtbenchError, UsageError
from mtbench.plan.spec import Choice, RunSpec, Titles, composition

__all__ = ["LARGEST_NUMBER", "check_protocol", "check_spec", "method_title", "protocol_title", "with_checked_titles"]

LARGEST_NUMBER = LIMITS["seed"]
"""The largest whole number that tables hold."""


def check_spec(spec: RunSpec) -> None:
    """Refuse a spec that readers cannot work with.

    Raises:
        UsageError: a setting of its training protocol is unknown, or its seed is not one that tables hold.
    """
    check_protocol(spec.protocol)
    if not 0 <= spec.seed <= LARGEST_NUMBER:
        raise UsageError(f"its seed is {spec.seed:,}.", allowed=f"Tables hold seeds from 0 to {LARGEST_NUMBER:,}.")


def with_checked_titles(spec: RunSpec) -> RunSpec:
    """Return a spec whose titles describe its parts: each as it is if it does, else made from the parts."""
    titles = _checked_titles(spec)
    return spec if titles == spec.titles else dataclasses.replace(spec, titles=titles)


def _checked_titles(spec: RunSpec) -> Titles:
    """Return the titles of a spec, with those that do not describe its parts made from the parts.

    The title of a dataset is its choice. That of a method may be an alias, may lack a default balancer or a default
    backbone, and may have a preset; so it is compared with the parts. A name that is not installed, as that of an
    alias before it was renamed, is believed.
    """
    given = spec.titles
    apart, common = given.apart, spec.protocol
    try:
        common = spec.common_protocol
    except UsageError:  # it names no settings
        apart = {}
    return Titles(
        dataset=with_short_hashes(str(spec.dataset)),
        method=method_title(given.method, spec.network, spec.balancer, str(spec.backbone)),
        protocol=protocol_title(given.protocol, common),
        apart=apart,
    )


def method_title(title: str, network: Choice, balancer: Choice, backbone: str, *, searched: bool = False) -> str:
    """Return the title of a method if it describes these parts; else one that is made from them.

    Args:
        title: the title in a file.
        network, balancer: the parts with their options.
        backbone: the backbone as on the command line.
        searched: True if the title may have values of options that the parts lack, since they are searched.
    """
    shown = with_short_hashes(backbone)
    if _describes(title, network, balancer, shown, searched):
        return title
    return f"{with_short_hashes(f'{network}+{balancer}')}@{shown}"


@lru_cache(maxsize=1024)
def protocol_title(title: str, protocol: TrainingProtocol) -> str:
    """Return the title of a training protocol if it begins with its name and each setting in it is true.

    Else it is made from the settings: the name, and each setting that differs from the default of all protocols.
    """
    named = re.findall(r", (\w+)=", title)
    stated = [
        f"{field.name}={render_value(getattr(protocol, field.name))}"
        for field in dataclasses.fields(protocol)
        if field.name in named
    ]
    is_true = title == ", ".join([protocol.name, *stated])
    return title if is_true else protocol.label(TrainingProtocol(name=protocol.name))


@lru_cache(maxsize=256)
def check_protocol(protocol: TrainingProtocol) -> None:
    """Refuse words that are no settings, such as an unknown schedule.

    Raises:
        UsageError: there is one.
    """
    parse_schedule(protocol.schedule)
    parse_clip(protocol.clip)
    for field in dataclasses.fields(protocol):
        value, choices = getattr(protocol, field.name), field.metadata["choices"]
        unknown = [
            part for part in (value if isinstance(value, tuple) else (value,)) if choices and part not in choices
        ]
        if unknown:
            raise UsageError(
                f"protocol setting '{field.name}' is '{unknown[0]}'.", allowed=f"Allowed: {', '.join(choices)}."
            )


@lru_cache(maxsize=4096)
def _describes(title: str, network: Choice, balancer: Choice, backbone: str, searched: bool) -> bool:
    """Return True if the title of a method is one of these parts."""
    before, at, shown = title.partition("@")
    if at and shown != backbone:
        return False
    (first, *options), *others = (part.split(":") for part in composition(before))
    if not others:
        has_values = searched or _are_values(options, network, balancer)
        return has_values and _stands_for(first, network, balancer)
    (name, *values), *more = others
    is_pair = not more and (first, name) == (network.name, balancer.name)
    return is_pair and (searched or (_are_values(options, network) and _are_values(values, balancer)))


def _stands_for(name: str, network: Choice, balancer: Choice) -> bool:
    """Return True if a name without a balancer, of a network or an alias, can stand for a network with a balancer."""
    try:
        if name == network.name:
            default = registry.declared("method", name, "default_balancer") or registry.reference("balancer")
            is_own = registry.find("method", name).distribution == registry.OWN  # others may inherit a default
            return not balancer.options and (balancer.name == default or not is_own)
        if name in registry.entries("method"):
            return registry.declared("method", name, "stands_for") == f"{network.name}+{balancer.name}"
    except MtbenchError:  # plug-ins that are missing or cannot be told apart, which other commands report
        pass
    return registry.NAME.fullmatch(name) is not None


def _are_values(options: list[str], *choices: Choice) -> bool:
    """Return True if options in a title have the values of these choices, whose names may be earlier or later ones.

    A preset stands for options that only its plug-in knows.
    """
    if any(option.startswith("preset=") for option in options):
        return True
    known = [with_short_hashes(value) for choice in choices for value in choice.options.values()]
    return sorted(option.partition("=")[2] for option in options) == sorted(known)
