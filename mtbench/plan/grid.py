"""Methods x datasets x seeds become specs."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench import registry
from mtbench.contract import Dataset, Protocol
from mtbench.errors import UsageError, did_you_mean
from mtbench.plan.parse import (
    BackboneChoice,
    DatasetChoice,
    MethodChoice,
    parse_backbone,
    parse_dataset,
    parse_method,
)
from mtbench.plan.spec import RunSpec, Titles

__all__ = ["Request", "choose_protocol", "parse_seeds", "plan"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked of ``mtbench run``.

    Attributes:
        methods: texts such as ``td:channels=6``; ``all`` is every installed network and alias.
        datasets: texts such as ``mmnist3``.
        protocol: the name of one of the dataset's protocols.
        settings: numbers of the protocol that are to differ, as texts.
        seeds: the seeds, or None for as many as the protocol asks for.
    """

    methods: Sequence[str]
    datasets: Sequence[str]
    protocol: str = "paper"
    settings: Mapping[str, str]
    seeds: Sequence[int] | None = None


def plan(request: Request) -> list[RunSpec]:
    """The runs that were asked for, datasets outermost, then seeds, then methods, each once.

    Seeds come before methods so that a grid that is cut short still compares every method.

    Raises:
        UsageError: something asked for does not exist or does not fit.
    """
    names = [name for name in request.methods if name != "all"]
    if "all" in request.methods:
        names += list(registry.entries("method"))
    methods = [parse_method(name) for name in names]
    specs: dict[str, RunSpec] = {}
    for text in request.datasets:
        dataset = parse_dataset(text)
        protocol = choose_protocol(dataset.dataset, dataset.choice.name, request.protocol)
        changed = protocol.changed(**request.settings)
        firsts = [_spec(dataset, method, changed, protocol) for method in methods]
        for seed in request.seeds if request.seeds is not None else range(changed.seeds):
            for first in firsts:
                spec = dataclasses.replace(first, seed=seed)
                specs[spec.id] = spec
    if not specs:
        raise UsageError(
            "nothing was asked for.", mend="Name methods and datasets: --methods td,moo --dataset mmnist3."
        )
    return list(specs.values())


def choose_protocol(dataset: type[Dataset], dataset_name: str, name: str) -> Protocol:
    """The dataset's protocol of that name.

    Raises:
        UsageError: it has none of that name.
    """
    if name not in dataset.protocols:
        raise UsageError(
            f"dataset '{dataset_name}' has no protocol '{name}'.",
            mend=did_you_mean(name, dataset.protocols),
            allowed=f"Its protocols: {', '.join(dataset.protocols)}.",
        )
    return dataset.protocols[name]


def parse_seeds(text: str) -> list[int]:
    """A count (``10`` is 0 to 9) or a list (``0,3,7``; ``7,`` is seed 7 alone).

    Raises:
        UsageError: it is neither.
    """
    try:
        if "," in text:
            seeds = sorted({int(part) for part in text.split(",") if part.strip()})
        else:
            seeds = list(range(int(text)))
    except ValueError:
        seeds = []
    if not seeds or seeds[0] < 0:
        raise UsageError(
            f"--seeds is '{text}'.",
            allowed="Allowed: a count such as 10, or a list such as 0,3,7 ('7,' is seed 7 alone).",
        )
    return seeds


def _spec(dataset: DatasetChoice, method: MethodChoice, protocol: Protocol, named: Protocol) -> RunSpec:
    default = parse_backbone(dataset.dataset.backbone)
    backbone = method.backbone or default
    _try(dataset, method, backbone)
    title = method.title if backbone.choice != default.choice else method.title.partition("@")[0]
    return RunSpec(
        dataset=dataset.choice,
        network=method.network_choice,
        balancer=method.balancer_choice,
        backbone=backbone.choice,
        protocol=protocol,
        seed=0,
        titles=Titles(dataset=str(dataset.choice), method=title, protocol=protocol.label(named)),
    )


def _try(dataset: DatasetChoice, method: MethodChoice, backbone: BackboneChoice) -> None:
    """Build everything once, which needs no data files: what does not fit is refused before anything is fetched."""
    opened = dataset.open(Path())
    method.network.check(method.network_options, opened.tasks)
    method.balancer.check(method.balancer_options, opened.tasks)
    method.network(method.network_options, backbone.setup(opened, seed=0))
    method.balancer(method.balancer_options, opened.tasks)
