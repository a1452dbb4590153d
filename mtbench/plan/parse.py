"""From the texts of users to plug-ins and options, and back.

A method is ``network[:option=value ...][+balancer[:option=value ...]][@backbone[:option=value ...]]`` or an alias with
options of either part, e.g. ``td:channels=6``, ``branches+fixed:weights=.3/.7``, ``moo:normalize=l2``,
``uniform@lenet:width=2``.

An option that is a file is given as its path. A choice contains the hash of the content, which can be read only if a
mapping gives the path of the content. A title has the first digits of the hash, which distinguish two files but are
refused as a value: a request names its files by path or by the whole hash. The path of a file for a network or a
balancer cannot contain ``@``, nor ``+`` before a letter; that for a backbone can.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from mtbench import registry
from mtbench.contract import Alias, Balancer, Network
from mtbench.contract.options import Value, current_names, parse_options, render_value, weights_option
from mtbench.contract.options.files import with_short_hashes
from mtbench.errors import PluginError, UsageError
from mtbench.plan.chosen import (
    BackboneChoice,
    DatasetChoice,
    MethodChoice,
    check_pair,
    choice_of,
    load_backbone,
    load_dataset,
    load_plugin,
    split_options,
)
from mtbench.plan.spec import Choice, composition

__all__ = ["TAKES", "compose", "default_balancer", "parse_backbone", "parse_dataset", "parse_method"]

TAKES = "from"
"""The name that a suite gives an option of balancers that take task weights: another balancer, whose weights they are.

It is a keyword of Python, so that no balancer has an option of this name. See `mtbench.plan.suite.stages.second_stage`.
"""


def parse_dataset(text: str) -> DatasetChoice:
    """Parse a dataset such as ``mmnist4`` or ``mmnist4:offset=8``.

    Raises:
        UsageError: there is no such dataset or option, or a value does not fit.
    """
    return load_dataset(split_options(text, "dataset"))


def parse_backbone(text: str, *, preset: Mapping[str, Value] | None = None) -> BackboneChoice:
    """Parse a backbone such as ``lenet`` or ``lenet:width=2``.

    Args:
        preset: values for options that the text does not give, if the backbone has them.

    Raises:
        UsageError: there is no such backbone or option, or a value does not fit.
    """
    return load_backbone(split_options(text, "backbone"), preset=preset)


def parse_method(text: str) -> MethodChoice:
    """Parse a method: a network or alias, perhaps with a balancer and a backbone.

    Raises:
        UsageError: a part does not exist, an option does not fit, or the parts cannot be combined.
    """
    _, at, backbone_text = text.partition("@")
    first, *others = composition(text)
    if len(others) > 1:
        raise UsageError(f"method '{text}' has {len(others)} balancers.", allowed="A method has one.")
    first_choice = split_options(first, "method")
    name, given = first_choice.name, dict(first_choice.options)
    plugin = load_plugin("method", name, (Network, Alias))
    if issubclass(plugin, Alias):
        if others:
            raise UsageError(
                f"method '{text}' adds a balancer to the alias '{name}', which has one.",
                mend=f"'{name}' stands for '{plugin.stands_for}'.",
            )
        network_name, balancer_name = plugin.stands_for.split("+")
    else:
        network_name, balancer_name = name, default_balancer(plugin)
    balancer_given: dict[str, str] = {}
    if others:
        other = split_options(others[0], "balancer")
        balancer_name, balancer_given = other.name, dict(other.options)
    network = load_plugin("method", network_name, Network)
    balancer = load_plugin("balancer", balancer_name, Balancer)
    if TAKES in balancer_given and (weights := weights_option(balancer.Options)):
        raise UsageError(
            f"method '{text}' takes the task weights of '{balancer_given[TAKES]}', which are known after its runs: "
            f"'{TAKES}' stands in the [[grid]] of a suite only.",
            mend=f"Write a suite with both, or give the weights, as in {network_name}+{balancer_name}:{weights}=.3/.7.",
        )
    if issubclass(plugin, Alias):
        given, balancer_given = _assign(given, network, balancer)
    preset = given.pop("preset", None)
    if preset is not None:
        given = {**_preset(network, f"method '{network_name}'", preset), **given}
    own_preset = balancer_given.pop("preset", None)
    asked = balancer_given
    if own_preset is not None:
        balancer_given = {**_preset(balancer, f"balancer '{balancer_name}'", own_preset), **balancer_given}
    backbone_preset = network.backbone_presets.get(preset or "", {})
    network_options = parse_options(network.Options, given, owner=f"method '{name}'")
    balancer_owner = _owner(name, balancer_name, plugin)
    balancer_options = parse_options(balancer.Options, balancer_given, owner=balancer_owner)
    check_pair(text, network, network_name, balancer, balancer_name)
    backbone = parse_backbone(backbone_text, preset=backbone_preset) if at else None
    shown = _shown(balancer_name, balancer_options)
    if own_preset is not None:  # the name of a row shows that it is not trained as the others are
        shown = Choice(name=balancer_name, options={**asked, "preset": own_preset})
    return MethodChoice(
        network_choice=choice_of(network_name, network_options),
        network_class=network,
        network_options=network_options,
        balancer_choice=choice_of(balancer_name, balancer_options),
        balancer_class=balancer,
        balancer_options=balancer_options,
        backbone=backbone,
        preset=backbone_preset,
        settings=balancer.protocol_presets.get(own_preset or "", {}),
        title=_full_title(_shown(network_name, network_options), network, shown, backbone),
    )


def compose(
    network: Choice, balancer: Choice, backbone: BackboneChoice | None, files: Mapping[str, str]
) -> MethodChoice:
    """Return the method of these parts, without presets.

    Args:
        network: its name, and options as texts.
        balancer: its name, and options as texts.
        backbone: the backbone, if the method names one.
        files: paths of the files that options give by hash, by hash.

    Raises:
        UsageError: a part does not exist, an option does not fit, or the parts cannot be combined.
    """
    network_class = load_plugin("method", network.name, Network)
    balancer_class = load_plugin("balancer", balancer.name, Balancer)
    network_owner, balancer_owner = f"method '{network.name}'", f"balancer '{balancer.name}'"
    network_options = parse_options(network_class.Options, network.options, owner=network_owner, paths=files)
    balancer_options = parse_options(balancer_class.Options, balancer.options, owner=balancer_owner, paths=files)
    check_pair(f"{network}+{balancer}", network_class, network.name, balancer_class, balancer.name)
    shown = _shown(network.name, network_options), _shown(balancer.name, balancer_options)
    return MethodChoice(
        network_choice=choice_of(network.name, network_options),
        network_class=network_class,
        network_options=network_options,
        balancer_choice=choice_of(balancer.name, balancer_options),
        balancer_class=balancer_class,
        balancer_options=balancer_options,
        backbone=backbone,
        title=_full_title(shown[0], network_class, shown[1], backbone),
    )


def default_balancer(network: type[Network]) -> str:
    """Return the name of the balancer that a network is trained with by default.

    Raises:
        PluginError: the network names none, and there is not exactly one reference balancer.
    """
    return network.default_balancer or registry.reference("balancer")


def _shown(name: str, options: Any) -> Choice:
    """Return the choice with the current names of its options, for a title."""
    renamed = current_names(type(options))
    choice = choice_of(name, options)
    return Choice(name=name, options={renamed.get(key, key): value for key, value in choice.options.items()})


def _assign(
    given: Mapping[str, str], network: type[Network], balancer: type[Balancer]
) -> tuple[dict[str, str], dict[str, str]]:
    """Assign the options of an alias to its parts: those of the network, then those of the balancer.

    Options that neither part knows are left to a part that has options, whose error lists them.
    """
    known = {field.name for field in dataclasses.fields(balancer.Options)}
    own = {field.name for field in dataclasses.fields(network.Options)}
    known |= {"preset"} if given.get("preset") in {*balancer.presets, *balancer.protocol_presets} else set()
    to_balancer = {name: value for name, value in given.items() if name in known - own}
    if not own and not given.keys() <= known:
        return {}, dict(given)
    return {name: value for name, value in given.items() if name not in to_balancer}, to_balancer


def _preset(plugin: type[Network | Balancer], owner: str, preset: str) -> dict[str, str]:
    known = {**plugin.presets, **getattr(plugin, "protocol_presets", {})}
    if preset not in known:
        raise UsageError(
            f"{owner} has no preset '{preset}'.",
            allowed=f"Its presets: {', '.join(known)}." if known else "It has no presets.",
        )
    return {key: render_value(value) for key, value in plugin.presets.get(preset, {}).items()}


def _owner(name: str, balancer: str, plugin: type) -> str:
    return f"method '{name}'" if issubclass(plugin, Alias) else f"balancer '{balancer}'"


def _full_title(
    network: Choice, network_class: type[Network], balancer: Choice, backbone: BackboneChoice | None
) -> str:
    """Return `_title` with the backbone, if there is one."""
    title = _title(network, network_class, balancer)
    return with_short_hashes(title + (f"@{backbone.choice}" if backbone else ""))


def _title(network_choice: Choice, network: type[Network], balancer_choice: Choice) -> str:
    """Return the shortest text of this pair: an alias if there is one, else the network with its balancer."""
    pair = f"{network_choice.name}+{balancer_choice.name}"
    for name in registry.entries("method"):
        try:
            plugin = registry.load("method", name)
        except PluginError:
            continue  # a broken plug-in of another package is no reason to fail; doctor lists it
        if issubclass(plugin, Alias) and plugin.is_title and plugin.stands_for == pair:
            return str(Choice(name=name, options={**network_choice.options, **balancer_choice.options}))
    if balancer_choice == Choice(name=default_balancer(network)):
        return str(network_choice)
    return f"{network_choice}+{balancer_choice}"
