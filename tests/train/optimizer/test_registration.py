"""Parameters that a method declares as trained are in one group of the optimizer, or the plug-in is named."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Balancer, Inputs, Losses, Scalarization, Setup, Task
from mtbench.errors import PluginError
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.loop import fit
from mtbench_methods.networks.branches import Branches
from tests.builders.keepers import Memory
from tests.train.runs import CPU, spec_of

SETTINGS: dict[str, Any] = {"images": "32", "batch": "16", "epochs": "2"}
NEVER = "requires a gradient, and no optimizer knows it: it would never be trained."


def made(network: type[Branches] | None = None, balancer: Any = None, method: str = "branches") -> Assembly:
    assembly = assemble(spec_of(method, **SETTINGS), root=Path(), device=CPU)
    if network is not None:
        assembly = dataclasses.replace(assembly, network=network(assembly.network.options, assembly.setup))
    if balancer is not None:
        assembly = dataclasses.replace(assembly, balancer=balancer(assembly.balancer.options, assembly.tasks))
    return assembly


def trained(network: type[Branches] | None = None, balancer: Any = None, **settings: str) -> Assembly:
    assembly = made(network, balancer)
    fit(assembly, spec_of("branches", **{**SETTINGS, **settings}).protocol, keeper=Memory(), points=())
    return assembly


def error_of(network: type[Branches] | None = None, balancer: Any = None, **settings: str) -> str:
    with pytest.raises(PluginError) as error:
        trained(network, balancer, **settings)
    return str(error.value)


class Weighs(Scalarization):
    """Uncertainty weighting, as a basis for wrong ones; `scales` gives the log-variances."""

    def scales(self) -> Sequence[Tensor]:
        raise NotImplementedError

    def scalar(self, losses: Losses) -> Tensor:
        pairs = zip(self.scales(), losses.totals, strict=True)
        return torch.stack([(-s).exp() * total + s for s, total in pairs]).sum()


class Right(Weighs):
    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.logs = nn.ParameterList([nn.Parameter(torch.zeros(())) for _ in tasks])

    def scales(self) -> Sequence[Tensor]:
        return list(self.logs)


class InAList(Weighs):
    """Parameters in a list of Python's: `parameters()` does not have them, and their weights never move."""

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.logs = [nn.Parameter(torch.zeros(())) for _ in tasks]

    def scales(self) -> Sequence[Tensor]:
        return self.logs


class InADictionary(InAList):
    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.by_name = dict(zip((task.name for task in tasks), self.logs, strict=True))
        self.logs = []

    def scales(self) -> Sequence[Tensor]:
        return list(self.by_name.values())


class Plain(Weighs):
    """A tensor that requires a gradient and is no parameter."""

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.logs = torch.zeros(len(tasks), requires_grad=True)

    def scales(self) -> Sequence[Tensor]:
        return self.logs.unbind()


class ModulesInAList(Weighs):
    """Modules in a list of Python's."""

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.layers = [nn.Linear(1, 1) for _ in tasks]

    def scales(self) -> Sequence[Tensor]:
        return [layer.bias.sum() for layer in self.layers]


class Late(Weighs):
    """Parameters that are made with the first batch, after the optimizer."""

    def scales(self) -> Sequence[Tensor]:
        if not hasattr(self, "logs"):
            self.logs = nn.Parameter(torch.zeros(len(self.tasks)))
        return self.logs.unbind()


class LaterStill(Right):
    """Parameters that are made anew as an epoch ends."""

    def end_epoch(self, means: Tensor) -> None:  # noqa: ARG002
        self.logs = nn.ParameterList([nn.Parameter(torch.zeros(())) for _ in self.tasks])


class Owns(Right):
    """Takes the network's parameters for its own, so that they would be trained twice."""

    def __init__(self, options: Any, tasks: Sequence[Task], network: nn.Module) -> None:
        super().__init__(options, tasks)
        self.network = network


class Refers(Right):
    """Keeps them in a list, as it should."""

    def __init__(self, options: Any, tasks: Sequence[Task], network: nn.Module) -> None:
        super().__init__(options, tasks)
        self.shared = list(network.parameters())


def test_parameters_of_a_balancer_are_in_a_group_of_their_own_rate_and_move() -> None:
    assembly = trained(balancer=Right)
    assert isinstance(assembly.balancer, Right)
    assert all(value != 0 for value in assembly.balancer.logs)


@pytest.mark.parametrize(
    ("balancer", "name"),
    [
        (InAList, "logs[0]"),
        (InADictionary, "by_name['upper']"),
        (Plain, "logs"),
        (ModulesInAList, "layers[0].weight"),
        (Late, "logs"),
        (LaterStill, "logs.0"),
    ],
)
def test_a_number_of_a_balancer_that_no_optimizer_knows_is_named(balancer: type[Balancer], name: str) -> None:
    assert error_of(balancer=balancer) == (
        f"'{name}' of balancer '{balancer.__name__}' {NEVER} Make it an `nn.Parameter` that is an attribute of a "
        "module, or that is in an `nn.ParameterList`, by the end of `__init__`."
    )


class Hidden(Branches):
    """A layer that the network keeps in a tuple."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        with setup.initialized("hidden"):
            self.hidden = (nn.Linear(self.backbone.features, self.backbone.features),)

    def encode(self, inputs: Inputs) -> Tensor:
        found: Tensor = self.hidden[0](super().encode(inputs))
        return found


class Grows(Branches):
    """A scale that is made with the first batch."""

    def encode(self, inputs: Inputs) -> Tensor:
        z = super().encode(inputs)
        if not hasattr(self, "scale"):
            self.scale = nn.Parameter(torch.ones(z.shape[1]))
        return z * self.scale


class Replaced(Branches):
    """A parameter that is made in the second epoch."""

    def begin_epoch(self, epoch: int, epochs: int) -> None:  # noqa: ARG002
        if epoch == 1:
            self.extra = nn.Parameter(torch.ones(1))


@pytest.mark.parametrize(("network", "name"), [(Hidden, "hidden[0].weight"), (Grows, "scale"), (Replaced, "extra")])
def test_a_number_of_a_network_that_no_optimizer_knows_is_named(network: type[Branches], name: str) -> None:
    assert error_of(network).startswith(f"'{name}' of network '{network.__name__}' {NEVER}")


def test_a_balancer_that_owns_the_networks_parameters_is_refused_and_one_that_refers_to_them_is_not() -> None:
    assembly = made()
    network = assembly.network
    refers = dataclasses.replace(assembly, balancer=Refers(assembly.balancer.options, assembly.tasks, network))
    protocol = spec_of("branches", **SETTINGS).protocol
    fit(refers, protocol, keeper=Memory(), points=())
    owns = dataclasses.replace(assembly, balancer=Owns(assembly.balancer.options, assembly.tasks, network))
    with pytest.raises(PluginError) as error:
        fit(owns, protocol, keeper=Memory(), points=())
    name = next(name for name, _ in network.named_parameters())
    assert str(error.value) == (
        f"parameter '{name}' of network 'Branches' is in 2 groups of the optimizer, and should be in one. A balancer "
        "keeps parameters of the network in a list, not as its own."
    )


class Forgets(Branches):
    """Phases that leave out the branches."""

    phases: ClassVar[Mapping[str, frozenset[str]]] = {
        "first": frozenset({"backbone"}),
        "second": frozenset({"backbone"}),
    }


def test_a_part_that_no_phase_trains_is_named() -> None:
    text = error_of(Forgets)
    assert text.startswith("parameter 'branches.0.")
    assert text.endswith(
        "of network 'Forgets' is trained in none of its phases. Name its part in `phases`, or let it not require a "
        "gradient. Its phases: first, second."
    )


def test_what_requires_no_gradient_may_be_kept_anywhere() -> None:
    class Constant(Right):
        def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
            super().__init__(options, tasks)
            self.constants = [torch.ones(3), nn.Parameter(torch.ones(2), requires_grad=False)]

    trained(balancer=Constant)


@pytest.mark.parametrize("adds", ["own", "all"])
def test_a_task_that_is_added_has_all_that_is_trained_then_in_one_group(adds: str) -> None:
    trained(adds=adds)
