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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mtbench import registry
from mtbench.contract import Alias, Backbone, Balancer, Dataset, Network, Setup, Task
from mtbench.contract.files import known_paths, with_short_hashes
from mtbench.contract.options import Value, current_names, differences, parse_options, render_value
from mtbench.errors import PluginError, UsageError
from mtbench.plan.spec import Choice, RunSpec, composition
from mtbench.plan.variation import Variation, Varied

__all__ = [
    "BackboneChoice",
    "DatasetChoice",
    "MethodChoice",
    "backbone_of",
    "dataset_of",
    "parse_backbone",
    "parse_dataset",
    "parse_method",
]


@dataclass(frozen=True, kw_only=True)
class BackboneChoice:
    """A backbone and its options."""

    choice: Choice
    backbone_class: type[Backbone]
    options: Any

    @property
    def files(self) -> dict[str, str]:
        """The paths, by hash, of the files among its options."""
        return known_paths(self.options)

    def setup(self, dataset: Dataset, *, seed: int) -> Setup:
        """Return the parts that a network for this dataset on this backbone is built from."""
        return Setup(
            tasks=dataset.tasks,
            backbone_class=self.backbone_class,
            backbone_options=self.options,
            input_shape=dataset.input_shape,
            foreground=dataset.foreground,
            points=dataset.points,
            seed=seed,
        )


@dataclass(frozen=True, kw_only=True)
class DatasetChoice:
    """A dataset and its options: those of its own and those of every dataset."""

    choice: Choice
    dataset_class: type[Dataset]
    options: Any
    variation: Variation

    @property
    def files(self) -> dict[str, str]:
        """The paths, by hash, of the files among its options."""
        return known_paths(self.options)

    def open(self, root: Path) -> Dataset:
        """Return the dataset, with its files below `root`.

        Raises:
            UsageError: its options do not fit each other, or its tasks.
        """
        dataset = self.dataset_class(self.options, root)
        return dataset if self.variation == Variation() else Varied(dataset, self.variation, self.choice.name)

    def tasks(self) -> tuple[Task, ...]:
        """Return its tasks, which need no files."""
        return self.open(Path()).tasks


@dataclass(frozen=True, kw_only=True)
class MethodChoice:
    """A network and a balancer with their options, and a backbone if it is given.

    Attributes:
        preset: the options that the network's preset sets on any backbone.
        settings: the settings of the training protocol that the balancer's preset changes for this method.
    """

    network_choice: Choice
    network_class: type[Network]
    network_options: Any
    balancer_choice: Choice
    balancer_class: type[Balancer]
    balancer_options: Any
    backbone: BackboneChoice | None
    preset: Mapping[str, Value] = field(default_factory=dict)
    settings: Mapping[str, Value] = field(default_factory=dict)
    title: str

    @property
    def files(self) -> dict[str, str]:
        """The paths, by hash, of the files among the options of all parts."""
        own = known_paths(self.network_options, self.balancer_options)
        return own | (self.backbone.files if self.backbone else {})

    def on(self, default: str) -> BackboneChoice:
        """Return the backbone that was given; else `default`, as on the command line, with the preset."""
        return self.backbone or parse_backbone(default, preset=self.preset)


def dataset_of(spec: RunSpec) -> DatasetChoice:
    """Return the dataset of a run, whose files are at the paths in the spec; errors as in `parse_dataset`."""
    return parse_dataset(str(spec.dataset), spec.files)


def backbone_of(spec: RunSpec) -> BackboneChoice:
    """Return the backbone of a run, whose files are at the paths in the spec; errors as in `parse_backbone`."""
    return parse_backbone(str(spec.backbone), spec.files)


def parse_dataset(text: str, files: Mapping[str, str] | None = None) -> DatasetChoice:
    """Parse a dataset such as ``mmnist4`` or ``mmnist4:offset=8``.

    Args:
        files: paths of the files that the text gives by hash, by hash. Without it they cannot be read.

    Raises:
        UsageError: there is no such dataset or option, or a value does not fit.
    """
    name, given = _split(text, "dataset")
    dataset = _load("dataset", name, Dataset)
    everybodys = {field.name for field in dataclasses.fields(Variation)}
    if taken := everybodys & {field.name for field in dataclasses.fields(dataset.Options)}:
        raise PluginError(
            f"dataset '{name}' of {registry.find('dataset', name).origin} has an option '{min(taken)}' of its own.",
            mend="Rename it there.",
            allowed=f"Every dataset has the options {', '.join(sorted(everybodys))}, which mean the same for all.",
        )
    varied = {option: value for option, value in given.items() if option in everybodys}
    own = {option: value for option, value in given.items() if option not in everybodys}
    options = parse_options(dataset.Options, own, owner=f"dataset '{name}'", others=everybodys, paths=files)
    variation = parse_options(Variation, varied, owner=f"dataset '{name}'")
    return DatasetChoice(
        choice=_choice(name, options, variation), dataset_class=dataset, options=options, variation=variation
    )


def parse_backbone(
    text: str, files: Mapping[str, str] | None = None, *, preset: Mapping[str, Value] | None = None
) -> BackboneChoice:
    """Parse a backbone such as ``lenet`` or ``lenet:width=2``.

    Args:
        files: see `parse_dataset`.
        preset: values for options that the text does not give, if the backbone has them.

    Raises:
        UsageError: there is no such backbone or option, or a value does not fit.
    """
    name, given = _split(text, "backbone")
    backbone = _load("backbone", name, Backbone)
    known = {field.name for field in dataclasses.fields(backbone.Options)}
    given = {**{key: render_value(value) for key, value in (preset or {}).items() if key in known}, **given}
    options = parse_options(backbone.Options, given, owner=f"backbone '{name}'", paths=files)
    return BackboneChoice(choice=_choice(name, options), backbone_class=backbone, options=options)


def parse_method(text: str, files: Mapping[str, str] | None = None) -> MethodChoice:
    """Parse a method: a network or alias, perhaps with a balancer and a backbone; `files` as in `parse_dataset`.

    Raises:
        UsageError: a part does not exist, an option does not fit, or the parts cannot be combined.
    """
    _, at, backbone_text = text.partition("@")
    first, *others = composition(text)
    if len(others) > 1:
        raise UsageError(f"method '{text}' has {len(others)} balancers.", allowed="A method has one.")
    name, given = _split(first, "method")
    plugin = _load("method", name, (Network, Alias))
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
        balancer_name, balancer_given = _split(others[0], "balancer")
    network = _load("method", network_name, Network)
    balancer = _load("balancer", balancer_name, Balancer)
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
    network_options = parse_options(network.Options, given, owner=f"method '{name}'", paths=files)
    balancer_owner = _owner(name, balancer_name, plugin)
    balancer_options = parse_options(balancer.Options, balancer_given, owner=balancer_owner, paths=files)
    _check_pair(text, network, network_name, balancer, balancer_name)
    backbone = parse_backbone(backbone_text, files, preset=backbone_preset) if at else None
    shown = _shown(balancer_name, balancer_options)
    if own_preset is not None:  # the name of a row shows that it is not trained as the others are
        shown = Choice(name=balancer_name, options={**asked, "preset": own_preset})
    title = _title(_shown(network_name, network_options), network, shown)
    return MethodChoice(
        network_choice=_choice(network_name, network_options),
        network_class=network,
        network_options=network_options,
        balancer_choice=_choice(balancer_name, balancer_options),
        balancer_class=balancer,
        balancer_options=balancer_options,
        backbone=backbone,
        preset=backbone_preset,
        settings=balancer.protocol_presets.get(own_preset or "", {}),
        title=with_short_hashes(title + (f"@{backbone.choice}" if backbone else "")),
    )


def default_balancer(network: type[Network]) -> str:
    """Return the name of the balancer that a network is trained with by default.

    Raises:
        PluginError: the network names none, and there is not exactly one reference balancer.
    """
    return network.default_balancer or registry.reference("balancer")


def _split(text: str, kind: str) -> tuple[str, dict[str, str]]:
    name, *options = text.strip().split(":")
    given: dict[str, str] = {}
    for part in options:
        key, equals, value = part.partition("=")
        if not equals or not key:
            raise UsageError(f"'{part}' in {kind} '{text}' is not an option.", allowed="An option is name=value.")
        option = key.replace("-", "_")
        if option in given:
            raise UsageError(f"{kind} '{text}' gives option '{option}' twice.")
        given[option] = value
    return name, given


def _load(kind: str, name: str, base: Any) -> Any:
    plugin = registry.load(kind, name)
    if not issubclass(plugin, base):
        wanted = " or ".join(b.__name__ for b in (base if isinstance(base, tuple) else (base,)))
        raise PluginError(f"{kind} '{name}' of {registry.find(kind, name).origin} is not a {wanted}.")
    return plugin


def _choice(name: str, *options: Any) -> Choice:
    changed = {key: value for each in options for key, value in differences(each).items()}
    return Choice(name=name, options={key: render_value(value) for key, value in changed.items()})


def _shown(name: str, options: Any) -> Choice:
    """Return the choice with the current names of its options, for a title."""
    renamed = current_names(type(options))
    choice = _choice(name, options)
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


def _check_pair(
    text: str, network: type[Network], network_name: str, balancer: type[Balancer], balancer_name: str
) -> None:
    if not issubclass(network, balancer.requires):
        raise UsageError(
            f"method '{text}' is no valid combination: balancer '{balancer_name}' needs a "
            f"{balancer.requires.__name__}, and '{network_name}' is none."
        )
    if balancer.needs_shared_parameters and not network.shares_parameters:
        raise UsageError(
            f"method '{text}' is no valid combination: the tasks of '{network_name}' share no parameters, "
            f"so that '{balancer_name}' has nothing to balance."
        )


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
