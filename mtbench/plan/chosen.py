"""Plug-ins that were chosen, with their options: what a spec names, as classes and objects."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mtbench import registry
from mtbench.contract import Backbone, Balancer, Dataset, Network, Setup, Task
from mtbench.contract.options import Value, differences, parse_options, render_value
from mtbench.contract.options.files import known_paths
from mtbench.errors import PluginError, UsageError
from mtbench.plan.spec import Choice, RunSpec
from mtbench.plan.variation import Variation, Varied

__all__ = [
    *("BackboneChoice", "DatasetChoice", "MethodChoice", "Resolved", "check_pair", "choice_of"),
    *("load_backbone", "load_dataset", "load_plugin", "resolve", "split_options"),
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
        return self.backbone or load_backbone(split_options(default, "backbone"), preset=self.preset)


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """The plug-ins of a run with their options, whose files are at the paths in the spec.

    Attributes:
        dataset: the dataset.
        method: the network and the balancer, and the backbone again.
        backbone: the backbone.
    """

    dataset: DatasetChoice
    method: MethodChoice
    backbone: BackboneChoice

    @property
    def default_backbone(self) -> BackboneChoice:
        """The backbone of methods that name none, on this dataset."""
        return load_backbone(split_options(self.dataset.dataset_class.default_backbone, "backbone"))

    def setup(self, dataset: Dataset, *, seed: int) -> Setup:
        """Return the parts that the network is built from, for the opened dataset."""
        return self.backbone.setup(dataset, seed=seed)


def resolve(spec: RunSpec) -> Resolved:
    """Load the plug-ins of a run; `RunSpec.resolve` does so once per spec.

    Raises:
        UsageError: one of them is not installed, an option does not fit, or the parts cannot be combined.
        PluginError: one of them is broken.
    """
    network = load_plugin("method", spec.network.name, Network)
    balancer = load_plugin("balancer", spec.balancer.name, Balancer)
    network_options = _options(network, spec.network, "method", spec.files)
    balancer_options = _options(balancer, spec.balancer, "balancer", spec.files)
    check_pair(f"{spec.network}+{spec.balancer}", network, spec.network.name, balancer, spec.balancer.name)
    backbone = load_backbone(spec.backbone, spec.files)
    method = MethodChoice(
        network_choice=choice_of(spec.network.name, network_options),
        network_class=network,
        network_options=network_options,
        balancer_choice=choice_of(spec.balancer.name, balancer_options),
        balancer_class=balancer,
        balancer_options=balancer_options,
        backbone=backbone,
        title=spec.titles.method,
    )
    return Resolved(dataset=load_dataset(spec.dataset, spec.files), method=method, backbone=backbone)


def load_dataset(given: Choice, files: Mapping[str, str] | None = None) -> DatasetChoice:
    """Load a dataset and read its options.

    Args:
        given: its name, and options as texts.
        files: paths of the files that the options give by hash, by hash. Without it they cannot be read.

    Raises:
        UsageError: there is no such dataset or option, or a value does not fit.
        PluginError: the dataset is broken.
    """
    name = given.name
    dataset = load_plugin("dataset", name, Dataset)
    everybodys = {field.name for field in dataclasses.fields(Variation)}
    if taken := everybodys & {field.name for field in dataclasses.fields(dataset.Options)}:
        raise PluginError(
            f"dataset '{name}' of {registry.find('dataset', name).origin} has an option '{min(taken)}' of its own.",
            mend="Rename it there.",
            allowed=f"Every dataset has the options {', '.join(sorted(everybodys))}, which mean the same for all.",
        )
    varied = {option: value for option, value in given.options.items() if option in everybodys}
    own = {option: value for option, value in given.options.items() if option not in everybodys}
    options = parse_options(dataset.Options, own, owner=f"dataset '{name}'", others=everybodys, paths=files)
    variation = parse_options(Variation, varied, owner=f"dataset '{name}'")
    if variation != Variation():
        variation = variation.canonical([task.name for task in dataset(options, Path()).tasks])
    return DatasetChoice(
        choice=choice_of(name, options, variation), dataset_class=dataset, options=options, variation=variation
    )


def load_backbone(
    given: Choice, files: Mapping[str, str] | None = None, *, preset: Mapping[str, Value] | None = None
) -> BackboneChoice:
    """Load a backbone and read its options.

    Args:
        given, files: see `load_dataset`.
        preset: values for options that are not given, if the backbone has them.

    Raises:
        UsageError: there is no such backbone or option, or a value does not fit.
        PluginError: the backbone is broken.
    """
    name = given.name
    backbone = load_plugin("backbone", name, Backbone)
    known = {field.name for field in dataclasses.fields(backbone.Options)}
    preset_texts = {key: render_value(value) for key, value in (preset or {}).items() if key in known}
    options = _options(backbone, Choice(name=name, options={**preset_texts, **given.options}), "backbone", files)
    return BackboneChoice(choice=choice_of(name, options), backbone_class=backbone, options=options)


def load_plugin(kind: str, name: str, base: Any) -> Any:
    """Return the class of a plug-in.

    Args:
        kind: see `mtbench.registry.load`.
        base: a class, or several, that it must derive from.

    Raises:
        UsageError: nothing of that name is installed.
        PluginError: it is broken, or derives from none of them.
    """
    plugin = registry.load(kind, name)
    if not issubclass(plugin, base):
        wanted = " or ".join(b.__name__ for b in (base if isinstance(base, tuple) else (base,)))
        raise PluginError(f"{kind} '{name}' of {registry.find(kind, name).origin} is not a {wanted}.")
    return plugin


def choice_of(name: str, *options: Any) -> Choice:
    """Return the choice of a plug-in: its name, and the options that differ from their defaults."""
    changed = {key: value for each in options for key, value in differences(each).items()}
    return Choice(name=name, options={key: render_value(value) for key, value in changed.items()})


def split_options(text: str, kind: str) -> Choice:
    """Return a name and its options from a text such as ``lenet:width=2``.

    Raises:
        UsageError: an option is not of the form name=value, or is given twice.
    """
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
    return Choice(name=name, options=given)


def check_pair(
    text: str, network: type[Network], network_name: str, balancer: type[Balancer], balancer_name: str
) -> None:
    """Refuse a balancer that cannot be used with a network.

    Args:
        text: the method as given, for the error.

    Raises:
        UsageError: they cannot be combined.
    """
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


def _options(plugin: Any, given: Choice, kind: str, files: Mapping[str, str] | None) -> Any:
    return parse_options(plugin.Options, given.options, owner=f"{kind} '{given.name}'", paths=files)
