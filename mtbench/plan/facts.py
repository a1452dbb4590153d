"""Facts about a method that are known only after building it, which planning does without values."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from torch import nn

from mtbench.contract import GradientBalancer, Network
from mtbench.contract.networks.normalization import has_batch_norm
from mtbench.plan.chosen import BackboneChoice, DatasetChoice, MethodChoice
from mtbench.plan.counting import outline

__all__ = ["Facts", "facts_of"]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts about a network and its balancer on a dataset.

    Attributes:
        has_batch_norm: True if the network has batch normalization.
        has_gain: True if the gradient scale ``sum`` is defined for the balancer.
        needs_positive_losses: see `Balancer`.
        trains_shared: True if any parameter that tasks share is trained, in any phase.
        state_bytes: the bytes of the network's parameters and buffers.
        trained_bytes: the bytes of the parameters that are trained in any phase.
    """

    has_batch_norm: bool
    has_gain: bool
    needs_positive_losses: bool
    trains_shared: bool
    state_bytes: int
    trained_bytes: int


def facts_of(dataset: DatasetChoice, method: MethodChoice, backbone: BackboneChoice) -> Facts:
    """Build a method once, and return the facts about it; the same parts are not built again.

    A suite needs each of its methods many times, and 40 single-task networks take seconds.

    Raises:
        MtbenchError, RuntimeError, ValueError, IndexError: the parts do not fit each other or the dataset.
    """
    choices = (dataset.choice, method.network_choice, method.balancer_choice, backbone.choice)
    classes = (dataset.dataset_class, method.network_class, method.balancer_class, backbone.backbone_class)
    files = dataset.files | method.files | backbone.files
    parts = _Parts(
        texts=tuple(map(str, choices)),
        classes=classes,
        files=tuple(sorted(files.items())),
        dataset=dataset,
        method=method,
        backbone=backbone,
    )
    return _build(parts)


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """The parts of a run, equal to those of the same classes and texts whose files are in the same places."""

    texts: tuple[str, ...]
    classes: tuple[type, ...]
    files: tuple[tuple[str, str], ...]
    dataset: DatasetChoice = field(compare=False)
    method: MethodChoice = field(compare=False)
    backbone: BackboneChoice = field(compare=False)


@lru_cache(maxsize=4096)
def _build(parts: _Parts) -> Facts:
    opened = parts.dataset.open(Path())
    network = outline(parts.method, parts.backbone.setup(opened, seed=0))
    balancer = parts.method.balancer_class(parts.method.balancer_options, opened.tasks)
    trained = _trained(network)
    return Facts(
        has_batch_norm=has_batch_norm(network),
        has_gain=not isinstance(balancer, GradientBalancer) or balancer.gain(2) is not None,
        needs_positive_losses=balancer.needs_positive_losses,
        trains_shared=not trained.isdisjoint(network.shared_parameters()),
        state_bytes=sum(tensor.nbytes for tensor in network.state_dict().values()),
        trained_bytes=sum(parameter.nbytes for parameter in trained),
    )


def _trained(network: Network) -> set[nn.Parameter]:
    """Return the parameters that are trained in any phase."""
    parts = frozenset[str]().union(*network.phases.values())
    return {
        parameter
        for name, parameter in network.named_parameters()
        if parameter.requires_grad and (not parts or name.partition(".")[0] in parts)
    }
